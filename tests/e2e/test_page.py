"""The example's page in a real browser, on a real API and real workers."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.acceptance.project import until
from tests.e2e.conftest import MakeVisit
from tests.e2e.stack import PHOTO, Stack

CONTRAST = Path(__file__).with_name("contrast.js").read_text()
ATTACK = '<img src=x onerror="window.attacked = true">\'"</p><script>window.attacked = true</script>{{ 7 * 7 }}'
NAMELESS = "nodes => nodes.filter(node => !node.labels?.length).map(node => node.outerHTML)"
ALL_LOADED = "() => [...document.images].every(image => image.complete && image.naturalWidth > 0)"


def clock_in(page: Page) -> None:
    page.get_by_label("Your photo").set_input_files(PHOTO)
    page.get_by_role("button", name="Clock in").click()


def request_leave(page: Page, reason: str, first: str = "2027-08-02", last: str = "2027-08-06") -> None:
    page.get_by_label("First day").fill(first)
    page.get_by_label("Last day").fill(last)
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Request").click()


def notify(page: Page, title: str, message: str, *, to: str = "Awa Diop", priority: str = "Normal") -> None:
    page.get_by_role("combobox", name="To", exact=True).select_option(to)
    page.get_by_label("Priority").select_option(priority)
    page.get_by_label("Title").fill(title)
    page.get_by_label("Message").fill(message)
    page.get_by_role("button", name="Send").click()


def evaluate(page: Page, score: int, comment: str, *, employee: str = "Awa Diop") -> None:
    page.get_by_label("Employee").select_option(employee)
    page.get_by_role("radio", name=str(score)).check()
    page.get_by_label("Comment").fill(comment)
    page.get_by_role("button", name="Save").click()


def note(page: Page, text: str) -> Locator:
    """The newest notification that says this."""
    return page.locator(".note", has_text=text).first


def row(page: Page, text: str) -> Locator:
    return page.locator(".rows > li", has_text=text)


def stays(page: Page) -> None:
    page.evaluate("window.stayed = true")


def has_stayed(page: Page) -> bool:
    return page.evaluate("window.stayed") is True


def test_a_clock_in_is_answered_at_once_and_the_thumbnail_comes_by_itself(visit: MakeVisit, stack: Stack) -> None:
    """With no worker the photo is accepted and waits; with one, the picture and the notification arrive, unasked."""
    stack.hire("lea", "Léa Martin")
    page = visit().sign_in("lea")
    stays(page)
    entries = page.locator(".photos li")
    with stack.idle():
        clock_in(page)
        expect(entries).to_contain_text("Processing")
        expect(page.locator("#answers")).to_contain_text(re.compile(r"POST /api/attendance 202 in\s+[\d.]+ ms"))
    expect(note(page, "Clocked in")).to_be_visible()
    expect(entries.locator("img")).to_be_visible()
    page.wait_for_function(ALL_LOADED)
    assert has_stayed(page)


def test_a_leave_is_requested_decided_and_announced_live(visit: MakeVisit, stack: Stack) -> None:
    """The manager sees the request, and the employee the decision with high priority without loading anything again."""
    stack.hire("ines", "Inès Faure")
    ines, marc = visit().sign_in("ines"), visit().sign_in("marc")
    stays(ines)
    stays(marc)
    request_leave(ines, "A wedding in Dakar")
    expect(row(ines, "A wedding in Dakar")).to_contain_text("Pending")
    expect(note(marc, "Inès Faure asks for leave")).to_be_visible()
    row(marc, "A wedding in Dakar").get_by_role("button", name="Approve").click()
    expect(row(marc, "A wedding in Dakar")).to_contain_text("Approved")
    expect(note(ines, "Leave approved")).to_contain_text("High priority")
    expect(row(ines, "A wedding in Dakar")).to_contain_text("Approved")
    assert has_stayed(ines)
    assert has_stayed(marc)


def test_what_is_unread_is_counted_until_it_is_read(visit: MakeVisit, stack: Stack) -> None:
    """The badge follows what arrives and what is marked as read."""
    stack.hire("ugo", "Ugo Blanc")
    ugo, marc = visit().sign_in("ugo"), visit().sign_in("marc")
    for count, title in enumerate(("Town hall", "Fire drill"), start=1):
        notify(marc, title, "On Thursday at ten.", to="Ugo Blanc")
        expect(ugo.locator("h2 [data-unread]")).to_have_text(str(count))
        expect(ugo).to_have_title(f"({count}) Équipe")
    note(ugo, "Town hall").get_by_role("button", name="Mark as read").click()
    expect(ugo.locator("h2 [data-unread]")).to_have_text("1")
    expect(note(ugo, "Town hall")).not_to_contain_text("Mark as read")
    expect(note(ugo, "Fire drill")).to_contain_text("Mark as read")


def test_what_people_write_stays_text(visit: MakeVisit, stack: Stack) -> None:
    """Markup in names, titles, messages, reasons and comments is shown, live and after a reload, and does nothing."""
    name = f"Eve {ATTACK}"
    stack.hire("eve", name)
    eve, marc = visit().sign_in("eve"), visit().sign_in("marc")
    request_leave(eve, ATTACK)
    expect(row(marc, "Eve")).to_contain_text(ATTACK)
    row(marc, "Eve").get_by_role("button", name="Refuse").click()
    evaluate(marc, 1, ATTACK, employee=name)
    notify(marc, f"Title {ATTACK}"[:120], f"Message {ATTACK}", to=name, priority="High")
    expect(note(eve, "Title")).to_contain_text(f"Message {ATTACK}")
    for page in (eve, marc):
        page.reload()
        expect(page.get_by_text(ATTACK).first).to_be_visible()
        assert page.locator("img[src=x]").count() == 0
        assert page.evaluate("window.attacked") is None


def test_every_form_works_without_javascript(visit: MakeVisit) -> None:
    """Forms post, the page comes back with what was done, and what was wrong is said in words."""
    awa, marc = visit(java_script_enabled=False).sign_in("awa"), visit(java_script_enabled=False).sign_in("marc")
    entries = awa.locator(".photos li")
    had = entries.count()
    clock_in(awa)
    expect(entries).to_have_count(had + 1)
    request_leave(awa, "A day of painting")
    expect(row(awa, "A day of painting")).to_contain_text("Pending")
    marc.reload()
    row(marc, "A day of painting").get_by_role("button", name="Refuse").click()
    expect(row(marc, "A day of painting")).to_contain_text("Refused")
    evaluate(marc, 4, "Calm under pressure.")
    expect(row(marc, "Calm under pressure.")).to_be_visible()
    notify(marc, "Salaries", "They are paid.", priority="High")
    until(lambda: awa.reload() and note(awa, "Salaries").count(), "the notification")
    note(awa, "Salaries").get_by_role("button", name="Mark as read").click()
    expect(note(awa, "Salaries")).not_to_contain_text("Mark as read")


def test_a_mistake_in_a_form_is_explained_without_javascript(visit: MakeVisit) -> None:
    """The server's reason is a page, with a way back."""
    made = visit(java_script_enabled=False)
    page = made.sign_in("awa")
    request_leave(page, "Backwards", first="2027-08-06", last="2027-08-02")
    expect(page.get_by_text("A leave ends on the day it starts, or later.")).to_be_visible()
    page.get_by_role("link", name="Back to the page").click()
    expect(page.get_by_role("heading", name="Hello")).to_be_visible()
    made.complaints.clear()  # Chromium notes the status 422


def test_who_is_not_signed_in_sees_nothing(visit: MakeVisit, stack: Stack) -> None:
    """A wrong password is refused in words; when a session is over, there is only the form that begins one."""
    page = visit().sign_in("awa")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("User name").fill("awa")
    page.get_by_label("Password").fill("Demo")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("Wrong user name or password.")
    stack.hire("noe", "Noé Roux")
    noe, marc = visit().sign_in("noe"), visit().sign_in("marc")
    expect(noe.get_by_text("Live", exact=True)).to_be_visible()
    noe.context.clear_cookies()
    notify(marc, "Welcome", "Your first day is on Monday.", to="Noé Roux")
    expect(noe.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_page_is_for_everyone(visit: MakeVisit) -> None:
    """Fields have labels, arrivals are read out, the first key leads to the content, and nothing moves if so wished."""
    page = visit(reduced_motion="reduce").sign_in("marc")
    assert page.locator("input, select").evaluate_all(NAMELESS) == []
    expect(page.get_by_role("status")).to_have_attribute("aria-live", "polite")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    request_leave(visit().sign_in("awa"), "A long weekend")
    expect(page.get_by_role("status")).to_contain_text("Leave requested")
    assert page.evaluate("document.getAnimations().length") == 0


def test_light_dark_and_narrow_are_readable(visit: MakeVisit, stack: Stack, screenshots: Path) -> None:
    """Contrast is AA in both colour schemes, and nothing is cut off on a phone; there are pictures of it all."""
    awa, marc = visit(color_scheme="light").sign_in("awa"), visit(color_scheme="dark").sign_in("marc")
    a_year_of_work(awa, marc)
    with stack.idle():
        clock_in(awa)
        expect(awa.locator(".photos li").first).to_contain_text("Processing")
        for page, scheme in ((awa, "light"), (marc, "dark")):
            assert page.evaluate(CONTRAST) == []
            depict(page, screenshots / f"hr-api-{scheme}.png")
        awa.set_viewport_size({"width": 360, "height": 780})
        assert awa.evaluate("document.documentElement.scrollWidth") == 360
        depict(awa, screenshots / "hr-api-phone.png", full_page=True)


def a_year_of_work(awa: Page, marc: Page) -> None:
    """Something to look at."""
    clock_in(awa)
    expect(awa.locator(".photos img").first).to_be_visible()
    for reason, first, last, answer in (
        ("Moving house", "2027-03-01", "2027-03-02", "Approve"),
        ("A friend's wedding in Lyon", "2027-05-14", "2027-05-14", "Refuse"),
        ("Family holiday in Dakar", "2027-08-02", "2027-08-13", None),
    ):
        request_leave(awa, reason, first, last)
        request = row(marc, reason).first
        expect(request).to_be_visible()
        if answer:
            request.get_by_role("button", name=answer).click()
            expect(row(awa, reason).first).not_to_contain_text("Pending")
            note(marc, f"from {first}").get_by_role("button", name="Mark as read").click()
    evaluate(marc, 4, "Took the payroll migration over without being asked.")
    expect(note(awa, "New evaluation")).to_be_visible()
    notify(marc, "Town hall on Thursday", "At ten, in the large room. Lunch is on us.")
    expect(note(awa, "Town hall on Thursday")).to_be_visible()


def depict(page: Page, file: Path, *, full_page: bool = False) -> None:
    """A picture of a page at rest, without the words that pass."""
    page.locator("#toasts").evaluate("toasts => toasts.replaceChildren()")
    page.wait_for_function(ALL_LOADED)
    page.evaluate("window.scrollTo(0, 0)")
    page.mouse.move(0, 0)
    page.screenshot(path=file, full_page=full_page, animations="disabled")
