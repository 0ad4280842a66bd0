"""Attendance: clocking in with a photo."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse
from sqlalchemy import ColumnElement

from hr.auth import SignedIn, User
from hr.database import Database, Record
from hr.fields import RowId
from hr.tables import attendance
from hr.uploads import MAX_BYTES, PhotoName, Photos, ReceivedPhoto, path_of
from hr.visibility import visible_to
from queuectl import ProcessImageJob, SendsNotifications
from queuectl.jobs.process_image import ImageOptions, thumbnail_path

SIZES: ImageOptions = {
    "disk": "public",
    "width": 1200,
    "height": 1200,
    "quality": 85,
    "thumbnail": {"width": 300, "height": 300},
}


class AttendanceController(SendsNotifications):
    def __init__(self, database: Database, photos: Photos) -> None:
        self.database = database
        self.photos = photos
        self.router = APIRouter(tags=["attendance"])
        self.router.add_api_route("/api/attendance", self.index, methods=["GET"])
        self.router.add_api_route("/api/attendance/{entry_id}", self.show, methods=["GET"])
        self.router.add_api_route(
            "/api/attendance", self.store, methods=["POST"], status_code=202, max_body_size=MAX_BYTES
        )
        self.router.add_api_route("/photos/{name}", self.photo, methods=["GET"])

    def index(self, user: SignedIn) -> list[Record]:
        """The newest fifty."""
        return [self._shown(entry) for entry in self.database.all(visible_to(user, attendance).limit(50))]

    def show(self, entry_id: RowId, user: SignedIn) -> Record:
        """One of them: `ready` once the photo and its thumbnail can be fetched."""
        return self._shown(self._entry(user, attendance.c.id == entry_id))

    def store(self, user: SignedIn, photo: ReceivedPhoto) -> Record:
        """The photo is on the disk as it came; resizing it takes longer than anybody at the door would wait."""
        entry = self.database.insert(attendance, employee_id=user.id, photo=photo)
        ProcessImageJob.dispatch(path_of(photo), SIZES)
        self.create_notification(
            {
                "user_id": user.id,
                "title": "Clocked in",
                "message": f"You clocked in at {entry['at']:%H:%M} UTC.",
                "type": "attendance",
            }
        )
        return self._shown({**entry, "name": user.name})

    def photo(self, name: PhotoName, user: SignedIn) -> FileResponse:
        """A photo or its thumbnail, once ProcessImageJob has made them fit for showing."""
        entry = self._entry(user, attendance.c.photo == name.replace("_thumb", ""))
        if not self.photos.is_ready(entry["photo"]):
            raise HTTPException(404, "This photo is not ready yet.")
        return FileResponse(self.photos.file(name))

    def _entry(self, user: User, condition: ColumnElement[bool]) -> Record:
        entry = self.database.first(visible_to(user, attendance).where(condition))
        if entry is None:
            raise HTTPException(404, "There is no such clock-in.")
        return entry

    def _shown(self, entry: Record) -> Record:
        photo = entry["photo"]
        return {
            "id": entry["id"],
            "name": entry["name"],
            "at": entry["at"],
            "photo_url": f"/photos/{photo}",
            "thumbnail_url": f"/photos/{thumbnail_path(photo)}",
            "ready": self.photos.is_ready(photo),
        }
