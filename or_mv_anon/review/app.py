"""The requests that the page makes, and what answers them."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.printable import printable
from or_mv_anon.review.decisions import decide
from or_mv_anon.review.desk import Desk
from or_mv_anon.review.moments import PATIENCE_S

PAGE = Path(__file__).with_name("page")
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
MOMENTS = "application/octet-stream"
MOST_MOMENTS = 250  # in one answer
FIRST_PICTURE_S = 5.0  # for which playing waits for a picture that is being made

Handler = Callable[[Request], Awaitable[Response]]


def make_app(desk: Desk) -> Starlette:
    """The application that serves a review; it trusts every request, see `guard.Guard`."""
    answers = _Answers(desk)
    gets = {
        "session": answers.session,
        "people": answers.people,
        "moments": answers.moments,
        "glance": answers.glance,
        "covered": answers.covered,
        "state": answers.state,
        "decisions": answers.decisions,
    }
    posts = {
        "decide": answers.decide,
        "original": answers.original,
        "render": answers.render,
        "end": answers.end,
    }
    routes = [Route(f"/api/{name}", _told(handler), methods=["GET"]) for name, handler in gets.items()]
    routes += [Route(f"/api/{name}", _told(handler), methods=["POST"]) for name, handler in posts.items()]
    files = sorted(path for path in PAGE.iterdir() if path.suffix in KINDS)
    routes += [Route(f"/{'' if path.name == 'index.html' else path.name}", _file(path)) for path in files]
    return Starlette(routes=routes)


class _Answers:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def session(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._desk.session))

    async def people(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._desk.people, request.query_params["camera"]))

    async def state(self, request: Request) -> Response:
        return JSONResponse(self._desk.state())

    async def moments(self, request: Request) -> Response:
        asked, desk = request.query_params, self._desk
        at, lead = _number(asked, "at"), asked["camera"]
        count = min(MOST_MOMENTS, max(1, int(_number(asked, "count", 1))))
        skip, stride = int(_number(asked, "skip", 0)), int(_number(asked, "stride", 1))
        seconds = desk.moments.seconds(at, camera=lead, skip=skip, stride=stride, count=count)
        if seconds:
            desk.proxies.look(lead, seconds[0])
        cameras = [name for name in asked.get("only", "").split("\n") if name]
        patience = FIRST_PICTURE_S if count > 1 else _number(asked, "patience", PATIENCE_S)
        return StreamingResponse(
            desk.moments.packed(seconds, cameras, patience=patience, lead=lead), media_type=MOMENTS
        )

    async def glance(self, request: Request) -> Response:
        packed = await run_in_threadpool(self._desk.glance, request.query_params["case"])
        return Response(packed, media_type=MOMENTS)

    async def covered(self, request: Request) -> Response:
        frame = int(_number(request.query_params, "frame"))
        return JSONResponse(await run_in_threadpool(self._desk.covered, request.query_params["camera"], frame))

    async def decisions(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._desk.decisions))

    async def decide(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(decide, self._desk.run, await request.json()))

    async def original(self, request: Request) -> Response:
        picture = await run_in_threadpool(self._desk.original, await request.json())
        return Response(picture, media_type="image/jpeg")

    async def render(self, request: Request) -> Response:
        await run_in_threadpool(self._desk.render)
        return JSONResponse(self._desk.state())

    async def end(self, request: Request) -> Response:
        self._desk.ended.set()
        return JSONResponse({})


def _told(handler: Handler) -> Handler:
    """Every failure becomes one sentence for the page."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except UserError as error:
            return JSONResponse({"error": printable(str(error))}, status_code=409)
        except (KeyError, ValueError, TypeError, json.JSONDecodeError) as error:
            return JSONResponse({"error": f"The request cannot be understood ({printable(error)})."}, status_code=400)

    return answer


def _file(path: Path) -> Handler:
    content, kind = path.read_bytes(), KINDS[path.suffix]

    async def answer(request: Request) -> Response:
        return Response(content, media_type=kind)

    return answer


def _number(asked: Mapping[str, Any], name: str, default: float | None = None) -> float:
    value = float(asked[name]) if default is None or name in asked else default
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a number")
    return value
