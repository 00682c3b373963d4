"""Training shared by several processes on this machine: each takes its rows of every batch."""

from __future__ import annotations

import os
import pickle
import queue
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import distributed, multiprocessing
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException, start_processes

from engine.backend.data import Split
from engine.backend.network import Network
from engine.errors import MyelinError
from nodes.spec import Values

if TYPE_CHECKING:
    from engine.backend.training import Options

PATIENCE = 0.05  # seconds between looks at what the processes say


def share(network: Network, recipe: Values, splits: dict[str, Split], options: Options) -> dict[str, Any]:
    """Train in ``options.processes`` new processes; the metrics.  What was learned is in the checkpoint."""
    context = multiprocessing.get_context("spawn")
    said, stop = context.Queue(), context.Event()
    silent = replace(options, on_event=_nothing, should_stop=_never)
    # plain bytes: tensors sent as such would be shared, and all processes would train the same memory
    tensors = {key: network.tensor(key).detach().cpu() for key in network.declared}
    job = pickle.dumps((network.program, tensors, recipe, splits, silent))
    arguments = (options.processes, _free_port(), job, said, stop)
    started = start_processes(_work, arguments, options.processes, join=False)
    result: dict[str, Any] = {}
    try:
        while not started.join(timeout=PATIENCE):
            result |= _listen(said, options)
            if options.should_stop():
                stop.set()
    except (ProcessRaisedException, ProcessExitedException) as error:
        _listen(said, options)
        raise MyelinError(f"a training process failed: {str(error).strip().splitlines()[-1]}") from error
    return result | _listen(said, options)


def _work(rank: int, world: int, port: int, job: bytes, said: Any, stop: Any) -> None:
    """One process: a rank of the group, silent but for the first."""
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "NODE_RANK": "0", "LOCAL_RANK": str(rank),
    }  # fmt: skip
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // world))
    from engine.backend.training import fit

    program, tensors, recipe, splits, options = pickle.loads(job)
    network = Network(program)
    with torch.no_grad():
        for key, value in tensors.items():
            network.tensor(key).copy_(value)
    try:
        metrics = fit(network, recipe, splits, replace(options, on_event=said.put, should_stop=stop.is_set))
    except MyelinError as error:
        said.put({"event": "error", "text": str(error)})
        raise
    if rank == 0:
        said.put({"event": "result", "metrics": metrics})
    _leave()


def _leave() -> None:
    """Part from the group together: gloo's threads, left to the end of the process, may abort it."""
    if distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()


def _listen(said: Any, options: Options) -> dict[str, Any]:
    """Pass on events; the metrics if training has ended.  MyelinError where a process could not go on."""
    while True:
        try:
            event = said.get(timeout=PATIENCE)
        except queue.Empty:
            return {}
        if event["event"] == "error":
            raise MyelinError(event["text"])
        if event["event"] == "result":
            metrics: dict[str, Any] = event["metrics"]
            return metrics
        options.on_event(event)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _nothing(event: dict[str, Any]) -> None:
    """The listener of a process that has none yet."""


def _never() -> bool:
    return False
