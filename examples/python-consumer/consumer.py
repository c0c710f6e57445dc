"""An application in Python that lives with rotations: boto3 and the standard library.

It works with a secret, hears of new versions from a queue, proves them, and tells Rotor. docs/contract has the
contract that it keeps; README.md says what to change for an application of your own.
"""

import collections
import datetime
import json
import os
import signal
import threading
import time

import boto3

from postgres_login import log_in

VISIBILITY_SECONDS = 60
# A stop waits for the poll to end, since a poll that is cut off may have taken a message along. Within the 10 seconds
# that Docker gives, and the 30 of ECS.
WAIT_SECONDS = int(os.environ.get("WAIT_SECONDS", "5"))
PUBLIC_MEMBERS = {"engine", "host", "port", "dbname", "username", "ssl", "masterarn"}

Version = collections.namedtuple("Version", "id value")


class Stopped(Exception):
    """The process was asked to end."""


class Refused(Exception):
    """The application cannot work with a version."""

    def __init__(self, version, reason):
        super().__init__(reason)
        self.version = version


class Secret:
    """A secret whose versions are proved before they are used."""

    def __init__(self, client, secret_id, prove):
        self.client, self.secret_id, self.prove = client, secret_id, prove
        self.arn = None
        self.serving = None

    def load(self):
        """Loads what AWSCURRENT names, proves it unless that was done, and serves it. Raises Refused."""
        while True:
            version = self._current()
            if self.serving is not None and version.id == self.serving.id:
                return version
            try:
                self._prove(version)
            except Exception as failure:
                # The rotation may have gone back meanwhile: refused is only what AWSCURRENT still names.
                if self._current().id == version.id:
                    raise Refused(version, redacted(failure, version)) from None
                continue
            self.serving = version
            log("serving", versionId=version.id)
            return version

    def verify(self, version_id):
        """Proves the version that AWSPENDING names, and serves what it served before. Raises Refused."""
        version = self._look("AWSPENDING")
        if version.id != version_id:
            raise ValueError("AWSPENDING names another version")
        try:
            self._prove(version)
        except Exception as failure:
            raise Refused(version, redacted(failure, version)) from None
        return version

    def _current(self):
        return self._look("AWSCURRENT")

    def _look(self, label):
        answer = self.client.get_secret_value(SecretId=self.secret_id, VersionStage=label)
        self.arn = answer["ARN"]
        return Version(answer["VersionId"], json.loads(answer["SecretString"]))

    def _prove(self, version):
        # A lost packet must not turn a rotation back.
        for pause in (1, 2, None):
            try:
                self.prove(version.value)
                log("proved", versionId=version.id)
                return
            except Exception:
                if pause is None:
                    raise
                time.sleep(pause)


class Consumer:
    """Answers Rotor's requests for one application and one secret.

    settle_seconds: how long other instances may still use an older version after this one has found a newer one; an
    answer speaks for all of them and waits as long. 0 where there is one instance.
    """

    def __init__(self, name, secret, queue_url, bus_name="rotor", settle_seconds=0.0):
        self.name, self.secret, self.queue_url = name, secret, queue_url
        self.bus_name, self.settle_seconds = bus_name, settle_seconds
        self.sqs, self.events = boto3.client("sqs"), boto3.client("events")
        self.answered = collections.deque(maxlen=100)
        self.known = (None, None, 0.0)
        self.stopping = threading.Event()

    def stop(self, *_):
        """Ends the loop after the poll that is under way, and gives a request that is being worked on back."""
        self.stopping.set()

    def run(self):
        while not self.stopping.is_set():
            for message in self._receive():
                self._work(message)
        log("stopped")

    def _receive(self):
        try:
            answer = self.sqs.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=1,
                WaitTimeSeconds=WAIT_SECONDS,
                VisibilityTimeout=VISIBILITY_SECONDS,
            )
        except Exception as failure:
            log("queue-failed", error=type(failure).__name__)
            self.stopping.wait(5)
            return []
        return answer.get("Messages", [])

    def _work(self, message):
        handle = {"QueueUrl": self.queue_url, "ReceiptHandle": message["ReceiptHandle"]}
        try:
            request = parsed(message["Body"])
            self._answer(request, lambda: self._hide(handle, VISIBILITY_SECONDS))
            # Only now: whatever ends this process earlier brings the message back.
            self.sqs.delete_message(**handle)
        except Stopped:
            self._hide(handle, 0)
        except Exception as failure:
            # It stays in the queue, whose redrive policy moves it to the dead-letter queue in the end.
            log("request-failed", messageId=message["MessageId"], error=type(failure).__name__)

    def _hide(self, handle, seconds):
        self.sqs.change_message_visibility(**handle, VisibilityTimeout=seconds)

    def _answer(self, request, keep_hidden):
        if request["consumer"] != self.name:
            raise ValueError("the request is for somebody else")
        if request["secret"]["arn"] != self.secret.arn:
            raise ValueError("the request is about another secret")
        token = request["taskToken"]
        if token is not None and token in self.answered:
            return
        with Heartbeat(self, request, keep_hidden):
            try:
                if request["phase"] == "verify":
                    version = self.secret.verify(request["versionId"])
                else:
                    version = self._settled(request["rotationId"])
                outcome = {"outcome": "loaded", "versionId": version.id}
            except Refused as refusal:
                outcome = {"outcome": "refused", "versionId": refusal.version.id, "reason": str(refusal)}
        if token is not None:
            self.acknowledge(request, **outcome)
            self.answered.append(token)

    def _settled(self, rotation):
        while True:
            version = self.secret.load()
            # Per rotation: between two of them AWSCURRENT may have been elsewhere, unseen by this instance.
            if self.known[:2] != (rotation, version.id):
                self.known = (rotation, version.id, time.monotonic())
            rest = self.known[2] + self.settle_seconds - time.monotonic()
            if rest <= 0:
                return version
            if self.stopping.wait(rest):
                raise Stopped

    def acknowledge(self, request, **answer):
        detail = {
            "schemaVersion": "1",
            "consumer": self.name,
            "secret": request["secret"],
            "taskToken": request["taskToken"],
            "time": datetime.datetime.now(datetime.timezone.utc).isoformat(),
            **answer,
        }
        result = self.events.put_events(
            Entries=[
                {
                    "EventBusName": self.bus_name,
                    "Source": "rotor.consumer",
                    "DetailType": "Secret Refresh Acknowledged",
                    "Detail": json.dumps(detail),
                }
            ]
        )
        if result["FailedEntryCount"] > 0:
            raise RuntimeError(result["Entries"][0].get("ErrorCode"))
        # Never the token: whoever reads it can answer in this application's name.
        log("acknowledged", outcome=answer["outcome"], versionId=answer["versionId"])


class Heartbeat:
    """Says `working`, and keeps the message hidden, for as long as a request is worked on."""

    def __init__(self, consumer, request, keep_hidden):
        self.consumer, self.request, self.keep_hidden = consumer, request, keep_hidden
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def _beat(self):
        pause = VISIBILITY_SECONDS / 2
        is_awaited = self.request["taskToken"] is not None and self.request["deadline"] is not None
        if is_awaited:
            # Both instants are by Rotor's clock. Before half of the time is over, with something in hand.
            waits = instant(self.request["deadline"]) - instant(self.request["time"])
            pause = min(pause, max(0.25, waits.total_seconds() * 0.4))
        while not self.ended.wait(pause):
            try:
                self.keep_hidden()
                if is_awaited:
                    self.consumer.acknowledge(self.request, outcome="working", versionId=self.request["versionId"])
            except Exception as failure:
                log("heartbeat-failed", error=type(failure).__name__)


def parsed(body):
    """The detail of a request. Raises ValueError or KeyError for anything else; members it does not know it ignores."""
    event = json.loads(body)
    detail = event["detail"]
    is_request = event["detail-type"] == "Secret Refresh Requested" and detail["schemaVersion"] == "1"
    if not is_request or detail["phase"] not in ("load", "verify"):
        raise ValueError("this is no request that is understood here")
    for member in ("rotationId", "consumer", "secret", "versionId", "time", "deadline", "taskToken"):
        detail[member]
    return detail


def redacted(failure, version):
    """What failed, in words that hold no secret value."""
    text = f"{type(failure).__name__}: {failure}"
    for name, value in version.value.items():
        if name not in PUBLIC_MEMBERS and str(value) != "":
            text = text.replace(str(value), "[redacted]")
    return text[:256]


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def log(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def main():
    name = os.environ["CONSUMER"]
    secret = Secret(
        boto3.client("secretsmanager"), os.environ["SECRET_ID"], prove=lambda value: log_in(value, name)
    )
    consumer = Consumer(
        name,
        secret,
        os.environ["REFRESH_QUEUE_URL"],
        bus_name=os.environ.get("BUS_NAME", "rotor"),
        settle_seconds=float(os.environ.get("SETTLE_SECONDS", "0")),
    )
    signal.signal(signal.SIGTERM, consumer.stop)
    signal.signal(signal.SIGINT, consumer.stop)
    secret.load()
    consumer.run()


if __name__ == "__main__":
    main()
