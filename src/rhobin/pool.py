"""Running tasks in single-threaded processes, or in this one."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

import cv2
import torch

WATCH_SECONDS = 2.0
THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Submit = Callable[..., "Future[Any]"]


@contextmanager
def task_pool(workers: int) -> Iterator[Submit]:
    """A way to run tasks: in fresh single-threaded processes, or in this one when `workers` is 0."""
    if workers == 0:
        with _one_thread():
            yield _run_here
        return
    with _single_threaded_children():
        pool = ProcessPoolExecutor(workers, get_context("spawn"), start_worker, (os.getpid(),))
        try:
            yield pool.submit
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        pool.shutdown()


@contextmanager
def _single_threaded_children() -> Iterator[None]:
    """Processes started meanwhile use one thread in every numeric library: faster, and always alike."""
    before = {name: os.environ.get(name) for name in THREAD_SETTINGS}
    os.environ.update(dict.fromkeys(THREAD_SETTINGS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _run_here(task: Callable[..., Any], *args: Any) -> Future[Any]:
    done: Future[Any] = Future()
    done.set_result(task(*args))
    return done


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads(), cv2.getNumThreads()
    start_worker()
    try:
        yield
    finally:
        torch.set_num_threads(threads[0])
        cv2.setNumThreads(threads[1])


def finished(futures: Iterable[Future[Any]]) -> Iterator[Any]:
    """Results as they come; tasks run in this process are yielded one by one.

    Raises:
        ChildProcessError: a process died, with what to do.
    """
    try:
        yield from _results(futures)
    except BrokenProcessPool as error:
        raise ChildProcessError(
            "a worker process died, often because memory ran out; run the same command again with fewer "
            "--workers, it will go on from there"
        ) from error


def _results(futures: Iterable[Future[Any]]) -> Iterator[Any]:
    waiting: list[Future[Any]] = []
    for future in futures:
        if future.done() and not waiting:
            yield future.result()
        else:
            waiting.append(future)
    for future in as_completed(waiting):
        yield future.result()


def start_worker(parent: int | None = None) -> None:
    """Make a process single-threaded, and end it when the process that started it is gone.

    Args:
        parent: process id to watch; None to watch nothing.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if parent is not None:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)
