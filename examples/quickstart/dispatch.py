"""What a web request would do: put slow work on queues and answer."""

from app.jobs import ImportPayroll

from queuectl import ProcessImageJob, SendNotificationJob

for number in (1, 2, 3):
    SendNotificationJob.on_queue("notifications").dispatch(
        {"user_id": number, "title": "Payslip", "message": "Your payslip is ready.", "type": "info"}
    )
for number in (1, 2):
    SendNotificationJob.on_queue("notifications-high").dispatch(
        {"user_id": number, "title": "Leave approved", "message": "Enjoy it!", "priorite": "haute"}
    )
ProcessImageJob.dispatch(
    "clock-in.jpg",
    {"disk": "public", "width": 1200, "height": 1200, "quality": 85, "thumbnail": {"width": 300, "height": 300}},
)
ImportPayroll.dispatch(month="2026-10")
print("7 jobs queued")
