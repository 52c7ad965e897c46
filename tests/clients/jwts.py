"""An issuer of JWTs that is not ours: makes keys in a folder, and prints tokens signed with them as one JSON object.

    jwts.py FOLDER

FOLDER gets `keys.pem` and `keys.json` (the same three public keys), `secret` and `private.pem`.
"""

import base64
import hashlib
import hmac
import json
import sys
import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

folder = Path(sys.argv[1])
keys = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
makers = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


def public_pem(key):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form)


def members():
    for name, key in keys.items():
        yield {**json.loads(makers[name].to_jwk(key.public_key())), "kid": name, "use": "sig"}
    # What nothing can be verified with here is left out.
    other = json.loads(RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key()))
    yield {**other, "kid": "sealing", "use": "enc"}
    yield {"kty": "unheard of", "kid": "odd"}


pem = b"".join(map(public_pem, keys.values()))
(folder / "keys.pem").write_bytes(pem)
(folder / "keys.json").write_text(json.dumps({"keys": list(members())}))
secret = "a secret of more than thirty-two bytes, shared"
(folder / "secret").write_text(secret + "\n")
private = serialization.PrivateFormat.PKCS8
(folder / "private.pem").write_bytes(
    keys["ES256"].private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
)
small = rsa.generate_private_key(65537, 1024)
(folder / "small.pem").write_bytes(public_pem(small))

now = int(time.time())
good = {
    "sub": "ada",
    "iss": "https://issuer.example",
    "aud": ["others", "archonctl"],
    "exp": now + 600,
    "nbf": now - 600,
    "scope": "openid read",
}


def signed(claims=None, by="ES256", without=(), **header):
    body = {**good, **(claims or {})}
    for name in without:
        del body[name]
    key = secret if by == "HS256" else keys[by]
    return jwt.encode(body, key, algorithm=by, headers=header or None)


def encoded(part):
    return base64.urlsafe_b64encode(part if isinstance(part, bytes) else json.dumps(part).encode()).rstrip(b"=")


def by_hand(header, sign):
    message = encoded(header) + b"." + encoded(good)
    return (message + b"." + encoded(sign(message))).decode()


es256 = signed()
tokens = {
    "RS256": signed(by="RS256"),
    "ES256": es256,
    "EdDSA": signed(by="EdDSA"),
    "HS256": signed(by="HS256"),
    "named": signed(kid="ES256"),
    "a list of scopes": signed({"scp": ["archonctl:read"]}, without=["scope"]),
    "one audience": signed({"aud": "archonctl"}),
    "may write": signed({"scope": "write"}),
    "may nothing": signed(without=["scope"]),
    "expired": signed({"exp": now - 600}),
    "not yet": signed({"nbf": now + 600}),
    "another audience": signed({"aud": "others"}),
    "another issuer": signed({"iss": "https://evil.example"}),
    "without end": signed(without=["exp"]),
    "without audience": signed(without=["aud"]),
    "without issuer": signed(without=["iss"]),
    "unsigned": by_hand({"alg": "none"}, lambda _: b""),
    # The public keys are known to everybody: as a secret they would let everybody in.
    "public key as secret": by_hand({"alg": "HS256"}, lambda m: hmac.new(pem, m, hashlib.sha256).digest()),
    "another algorithm": by_hand({"alg": "RS256"}, lambda m: jwt.get_algorithm_by_name("ES256").sign(m, keys["ES256"])),
    "another key": jwt.encode(good, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256"),
    "another key's name": signed(kid="RS256"),
    "critical": signed(crit=["b64"], b64=True),
    "longer digest": jwt.encode(good, keys["RS256"], algorithm="RS512"),
    "other claims": ".".join([es256.split(".")[0], encoded({**good, "scope": "admin"}).decode(), es256.split(".")[2]]),
}
print(json.dumps(tokens))
