"""The folder broker: messages arrive whole, once, and in order."""

from __future__ import annotations

from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection, Exchange, Queue
from kombu.simple import SimpleQueue

from memosite import broker


@pytest.fixture
def connect(tmp_path: Path):
    broker.register()
    connections: list[Connection] = []

    def open_queue() -> SimpleQueue:
        broker.Transport.global_state.clear()  # each one is like a process of its own
        connection = Connection(f"{broker.SCHEME}://", transport_options=broker.options(tmp_path))
        connections.append(connection)
        queue = Queue("jobs", Exchange("jobs", type="direct"), routing_key="jobs")
        return SimpleQueue(connection.channel(), queue)

    yield open_queue
    for connection in connections:
        connection.release()


def test_a_message_sent_by_one_process_is_received_once_by_another(connect):
    sender, receiver, other = connect(), connect(), connect()
    sender.put({"id": 1})
    message = receiver.get(block=False)
    message.ack()
    assert message.payload == {"id": 1}
    with pytest.raises(Empty):
        other.get(block=False)


def take(queue: SimpleQueue) -> object:
    message = queue.get(block=False)
    message.ack()
    return message.payload


def test_messages_come_in_the_order_in_which_they_were_sent(connect):
    sender, receiver = connect(), connect()
    for number in range(20):
        sender.put(number)
    assert [take(receiver) for _ in range(20)] == list(range(20))


def test_a_message_that_is_still_being_written_is_not_read(connect, tmp_path):
    receiver = connect()
    (tmp_path / "messages" / ".half-written").write_text('{"body": "')
    with pytest.raises(Empty):
        receiver.get(block=False)


def test_a_torn_queue_table_from_a_killed_process_is_written_anew(connect, tmp_path):
    connect()
    table = tmp_path / "queues" / "jobs.exchange"
    table.write_text("")
    sender = connect()
    sender.put("after the crash")
    assert connect().get(block=False).payload == "after the crash"
