"""What keeps a device from its broker, in words that say what to do."""

import socket
import ssl
from typing import Final

from edge.errors import TemporaryError
from edge.sinks.mqtt_settings import MqttSettings

_SELF_SIGNED: Final = (18, 19, 20, 21)
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_WRONG_NAME: Final = (62, 64)
"""Codes of x509_vfy(3): the authority is unknown; the clock or the certificate is wrong; it is another's."""

_BAD_PASSWORD: Final = 134
_NOT_AUTHORIZED: Final = 135
"""Codes of MQTT 5, as paho gives them for MQTT 3.1.1 as well."""


class Refused(TemporaryError):
    """The broker does not want this device: a person has to do something, so it is asked again slowly."""


def unreachable(error: Exception, settings: MqttSettings) -> TemporaryError:
    """What an attempt to connect failed of."""
    broker = settings.broker
    kind = TemporaryError
    match error:
        case ssl.SSLCertVerificationError():
            kind = Refused
            text = f"the certificate of the broker {broker} is not trusted: {_certificate(error, settings)}"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ConnectionResetError():  # or it is just being stopped
            return never_began(settings)
        case ssl.SSLError():
            kind = Refused
            text = (
                f"the broker {broker} does not speak TLS as expected ({error.strerror or error}); set mqtt.port to its "
                f"port for TLS, often 8883, or mqtt.tls = false"
            )
        case socket.gaierror():
            text = (
                f"the name of the broker {broker} is not known ({error.strerror}); check mqtt.host, and whether this "
                f"machine has a network and a name server"
            )
        case UnicodeError():
            text = f"{settings.host} can be no name of a broker ({error.__cause__ or error}); check mqtt.host"
        case ConnectionRefusedError():
            text = (
                f"nothing listens at {broker}; check mqtt.host and mqtt.port, whether the broker runs, and whether it "
                f"listens to others than its own machine"
            )
        case TimeoutError():
            text = f"{broker} does not answer; check mqtt.host, whether that machine is on, and its firewall"
        case OSError():
            text = f"{broker} cannot be reached ({error.strerror or error}); check the network"
        case _:
            text = f"what answers at {broker} is no MQTT broker ({error}); check mqtt.port"
    return kind(text)


def silent(settings: MqttSettings, waited_s: float) -> TemporaryError:
    """It took the connection, and has not said a word since."""
    hint = "" if settings.tls else ", and whether it expects TLS (mqtt.tls)"
    return TemporaryError(
        f"{settings.broker} takes connections and does not answer within {waited_s:g} s; check mqtt.port{hint}"
    )


def refusal(code: int, reason: str, settings: MqttSettings) -> TemporaryError:
    """It answered, and said no.

    Args:
        code: of MQTT 5.
        reason: the same in words.
        settings: how it was asked.
    """
    broker = settings.broker
    if code in (_BAD_PASSWORD, _NOT_AUTHORIZED):
        who = f"the name {settings.username!r} with this password" if settings.username else "a client without a name"
        return Refused(
            f"the broker {broker} refuses {who} ({reason}); check mqtt.username and the credential mqtt-password, and "
            f"the broker's list of users"
        )
    return TemporaryError(f"the broker {broker} refuses the connection: {reason}")


def lost(settings: MqttSettings, lasted_s: float) -> TemporaryError:
    """There was a connection."""
    hint = ""
    if lasted_s < 5.0:
        hint = "; if it goes on like this, another device has the same mqtt.client_id"
    return TemporaryError(f"the connection to the broker {settings.broker} was lost after {lasted_s:.0f} s{hint}")


def never_began(settings: MqttSettings) -> TemporaryError:
    """It hung up instead of answering."""
    return TemporaryError(
        f"{settings.broker} hangs up without an answer; if it goes on like this, check mqtt.port, and whether it "
        f"{'speaks' if settings.tls else 'expects'} TLS (mqtt.tls)"
    )


def _certificate(error: ssl.SSLCertVerificationError, settings: MqttSettings) -> str:
    said, code = error.verify_message, error.verify_code
    if code in _SELF_SIGNED:
        return f"{said}; set mqtt.ca to the certificate of the authority that signed it"
    if code == _NOT_YET_VALID:
        return f"{said}; check the clock of this machine"
    if code == _EXPIRED:
        return f"{said}; renew it at the broker, or check the clock of this machine"
    if code in _WRONG_NAME:
        return f"{said}; set mqtt.host to a name that is in the certificate, found {settings.host}"
    # what a certificate lacks: Python asks for more than others since 3.13
    return (
        f"{said}; make the authority's and the broker's certificates anew, with the extensions that are asked for "
        f"(keyUsage=keyCertSign in the authority's, authorityKeyIdentifier in the broker's)"
    )
