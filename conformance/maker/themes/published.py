"""Check vectors that others have published, as literals: nothing here is computed.

- The check vectors of the four systems' schemes.
- RFC 4231, *Identifiers and Test Vectors for HMAC-SHA-…*, section 4. Case 5 has
  a truncated output, which no scheme has.
- GitHub, *Validating webhook deliveries*: the example for testing.
- Wycheproof, `hmac_sha256_test.json` (Apache-2.0), by its `tcId`.
- AdCP, *Webhook HMAC-SHA256 test vectors*, by their `id`: the form of `tv`.
"""

from maker.case import CHECK_SECRET, OK, delivery

CHECK = {
    "health": "eee5b5f8d76f97b123cfe84749225d48e0db85f730646189af34cdbe2f904f46",
    "billing": "9bc2546bef83c2a529557d46d102da7faa6a069887b4bfb5069d3293a8fdc7fe",
    "curae": "cfc3572bd1a826301b484d0426346b483691aa9a32b03327c48481d7f57edf30",
    "tv": "cfc3572bd1a826301b484d0426346b483691aa9a32b03327c48481d7f57edf30",
    "tv-body-only": "9bc2546bef83c2a529557d46d102da7faa6a069887b4bfb5069d3293a8fdc7fe",
}

# Number, key, message, output.
RFC_4231 = (
    (1, b"\x0b" * 20, b"Hi There",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (2, b"Jefe", b"what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (3, b"\xaa" * 20, b"\xdd" * 50,
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (4, bytes(range(1, 26)), b"\xcd" * 50,
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    (6, b"\xaa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    (7, b"\xaa" * 131,
     b"This is a test using a larger than block-size key and a larger than block-size data. "
     b"The key needs to be hashed before being used by the HMAC algorithm.",
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
)

GITHUB = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

# tcId, what it is about, key, message, tag; from 28 on the tag is not the right
# one, and from 82 on it is cut to 128 bits.
WYCHEPROOF = (
    (
        1,
        "empty message",
        "1e225cafb90339bba1b24076d4206c3e79c355805d851682bc818baa4f5a7779",
        "",
        "b175b57d89ea6cb606fb3363f2538abd73a4c00b4a1386905bac809004cf1933",
    ),
    (
        2,
        "short message",
        "8159fd15133cd964c9a6964c94f0ea269a806fd9f43f0da58b6cd1b33d189b2a",
        "77",
        "dfc5105d5eecf7ae7b8b8de3930e7659e84c4172f2555142f1e568fc1872ad93",
    ),
    (
        5,
        "short message",
        "de8b5b5b2f09645be47ecb6407a4e1d9c6b33ae3c2d22517d3357da0357a3139",
        "cc021d65",
        "e87538eb167e62d7cb236690ff3f034a9c12d417aa8dfa694d7405f9e1f85fe8",
    ),
    (
        16,
        "short message",
        "9f3fd61a105202648ecff6074c95e502c1c51acd32ec538a5cce89ef841f7989",
        "2a76f2acdace42e3b779724946912c",
        "0226ee13cc05e2340135b3f4b27a9da1a160f6170fe805dadd98a3711ec9c421",
    ),
    (
        20,
        "32 bytes",
        "186e248ad824e1eb93329a7fdcd565b6cb4eaf3f85b90b910777128d8c538d27",
        "92ef9ff52f46eccc7e38b9ee19fd2de3b37726c8e6ce9e1b96db5dda4c317902",
        "3fc1d73dd4a8858c1fc3d8c4a3f33ed5ad0c70210038394a5902cb26fe287348",
    ),
    (
        22,
        "long message",
        "8e540cb30c94836ae2a5950f355d482a7002e255207e94fda3f7ef1a099013a0",
        "d6500f95e11262e308bf3df4df4b855f33e857563d4543f195639a0a17b442eb9fdcc1367d2eee75c8f805730b89290f",
        "39697e70ce741feb33dedc069f00b5627fd9b837d10cbdd5b6d19cfbd511dd2c",
    ),
    (
        23,
        "long message",
        "69c50d5274358188cff4c0fae742243d4e8a5e5ba55d94ff40edd90f6a43dd10",
        "1ac5255aff052828d8ea21b376f1ebdd4bb879949913900405aebce83e48feb6813b5e9c89f94501a8ade41b26b815c521",
        "4b0b4d0416fa2e11586fbfa7fb11261e69991dfa34019b9893d69a2be8c1fc80",
    ),
    (
        163,
        "short key",
        "a349ac0a9f9f74e48e099cc3dbf9a9c9",
        "",
        "3a8437b877b75cc08a4d8d7559a8fc6869a58c713da63d1d4b350d59b597e30c",
    ),
    (
        165,
        "short key",
        "73ef9ef1a4225e51e3c1db3ace1fa24f",
        "ffad380d9aabb0acede5c1bf112925cdfc3d379fc2376a4fe2644490d0430ac3",
        "9c7cb9f7c207ec46d1e3c55764731c4ab5ddbae4e1401e52a895df0cff4787c9",
    ),
    (
        169,
        "long key",
        "8a0c46eb8a2959e39865330079763341e7439dab149694ee57e0d61ec73d947e1d5301cd974e18a5e0d1cf0d2c37e8aadd9fd589d57ef32e47024a99bc3f70c077",
        "",
        "f5bfb940561fb4db73ebba49bf2e4893bb0cca618a71b7ecf6aca38231e167ea",
    ),
    (
        171,
        "long key",
        "21178e26bc28ffc27c06f762ba190a627075856d7ca6feab79ac63149b17126e34fd9e5590e0e90aac801df09505d8af2dd0a2703b352c573ac9d2cb063927f2af",
        "7d5f1d6b993452b1b53a4375760d10a20d46a0ab9ec3943fc4b07a2ce735e731",
        "e542ac8ac8f364bae4b7da8b7a0777df350f001de4e8cfa2d9ef0b15019496ec",
    ),
    (
        28,
        "Flipped bit 0 in tag",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "",
        "d28b42096d80f45f826b44a9d5607de72496a415d3f4a1a8c88e3bb9da8dc1cb",
    ),
    (
        29,
        "Flipped bit 0 in tag",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "000102030405060708090a0b0c0d0e0f",
        "d9b99f2709a3ca74172cbe93824c1f29b23a0c1e9c21bd851ff2d2c39dbef14e",
    ),
    (
        65,
        "Flipped bit 255 in tag",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "000102030405060708090a0b0c0d0e0f",
        "d8b99f2709a3ca74172cbe93824c1f29b23a0c1e9c21bd851ff2d2c39dbef1ce",
    ),
    (
        72,
        "all bits of tag flipped",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "",
        "2c74bdf6927f0ba07d94bb562a9f8218db695bea2c0b5e573771c44625723e34",
    ),
    (
        74,
        "Tag changed to all zero",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "",
        "0000000000000000000000000000000000000000000000000000000000000000",
    ),
    (
        76,
        "tag changed to all 1",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ),
    (
        78,
        "msbs changed in tag",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "",
        "530bc289ed0074df02ebc42955e0fd67a416249553742128480ebb395a0d414b",
    ),
    (
        80,
        "lsbs changed in tag",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "",
        "d28a43086c81f55e836a45a8d4617ce62597a514d2f5a0a9c98f3ab8db8cc0ca",
    ),
    (
        82,
        "empty message",
        "7bf9e536b66a215c22233fe2daaa743a898b9acb9f7802de70b40e3d6e43ef97",
        "",
        "f4605585949747de26f3ee98a738b172",
    ),
    (
        97,
        "short message",
        "c19bdf314c6cf64381425467f42aefa17c1cc9358be16ce31b1d214859ce86aa",
        "5d066a92c300e9b6ddd63a7c13ae33",
        "86c9f4dde0b257a7053a7b03c7504409",
    ),
)

FIRST_MODIFIED, LAST_MODIFIED, TRUNCATED = 28, 81, (82, 97)

ADCP_SECRET = "cc237f7fe354609bb41360c6530a2deb7926f3cc55e91df3ff90e37202950b6c"
# id, timestamp, body, signature.
ADCP = (
    ("compact-js-style", 1700000000,
     '{"event":"creative.status_changed","creative_id":"creative_123","status":"approved"}',
     "0987f9b3e89d331142297dbc0e992edbc13b2ae29e7038ed8f948b565aa05c4b"),
    ("spaced-python-default", 1700000000,
     '{"event": "creative.status_changed", "creative_id": "creative_123", "status": "approved"}',
     "cb4ae9d57971c70226a2aaab646c59c344a4bcf91075adcfc1939e4b3207856d"),
    ("empty-object", 1700000000, "{}",
     "06338bfc687c7a3677ea16420e527469d6717bb966451d29c685de8f0270f073"),
    ("unicode-utf8", 1700000000,
     '{"brand_name":"Caf\u00e9 M\u00fcnch\u00ebn","tagline":"\u65e5\u672c\u8a9e\u30c6\u30b9\u30c8"}',
     "0e445863247724694581d538497527218443961f15c9645d656b52d8fdca4f9c"),
    ("empty-body", 1700000000, "",
     "d9f70ba6cb43e92a8f55c1fc73bec0f8f07fa3a652e1ec1d5ee69846cfde9fe8"),
    ("timestamp-zero", 0, '{"event":"test"}',
     "e098ea1f745765614027918d988930b96c38a2f8e2b5d05560f4bffa53d77dcd"),
    ("timestamp-2040", 2208988800, '{"event":"test"}',
     "4b9923c61f2d51b20e4df1231827dd8b760b0ab99f80cab739cdead6841f0d69"),
    ("trailing-newline", 1700000000, '{"event":"test"}\n',
     "a1ea163af47d6b34ce0de5d27c4c88b5dd9f348dd8a2bc2751a71f8f27622738"),
    ("null-bytes", 1700000000, '{"event":"test\x00null"}',
     "8c58874bc393c7941088d48da3af913c4dcb3fb20244bf0ab0543cb872cb5330"),
    ("unicode-ascii-escaped", 1700000000,
     r'{"name":"caf\u00e9","region":"\u65e5\u672c"}',
     "f079a1c8b2501ac4ac1ba22895853d1901730a3b6db8f3844dfcdb0b213b1c91"),
)
# id, body, the header's value, the code here.
ADCP_REJECTED = (
    ("truncated-signature", '{"event":"test"}', "sha256=c4faf8", "malformed_header"),
    ("wrong-algorithm-prefix", '{"event":"test"}',
     "sha512=0ae7bf3ebd08098a9bec251fd1405a852dfbe3f75f5f19d9aa3e81af0f2617ca",
     "malformed_header"),
    ("empty-signature", '{"event":"test"}', "", "malformed_header"),
    ("body-tampered", '{"event":"hacked"}',
     "sha256=2a96056c93bf02b81076e11769945c8d9bf47cccf5073310f9736a8e5b08063c",
     "signature_mismatch"),
    ("double-prefix", '{"event":"test"}',
     "sha256=sha256=2a96056c93bf02b81076e11769945c8d9bf47cccf5073310f9736a8e5b08063c",
     "malformed_header"),
    ("signer-spaced-wire-compact",
     '{"key with spaces":1,"nested":{"inner key":[1,2,{"deep key":"v"}],"flag":true}}',
     "sha256=301a461556bd0b6b32450c4299a7889437a4616ac70c8bdfd911e7a6a00d914d",
     "signature_mismatch"),
)


def cases():
    for scheme, digits in CHECK.items():
        case = delivery(scheme)
        yield (
            f"check-{scheme}",
            "the check vector of the scheme",
            case.with_secrets(CHECK_SECRET).signed_as(case.sent[:-64] + digits),
            OK,
        )
    for number, key, message, digits in RFC_4231:
        yield (
            f"rfc-4231-case-{number}",
            "RFC 4231, section 4, in a scheme that signs the body alone",
            delivery("billing", message)
            .with_raw_secrets(key)
            .signed_as(f"sha256={digits}"),
            OK,
        )
    yield (
        "github-example",
        "GitHub's published example: `It's a Secret to Everybody`, `Hello, World!`",
        delivery("billing", b"Hello, World!")
        .with_secrets("It's a Secret to Everybody")
        .signed_as(f"sha256={GITHUB}"),
        OK,
    )
    for number, about, key, message, tag in WYCHEPROOF:
        yield (
            f"wycheproof-{number}",
            f"Wycheproof: {about}",
            delivery("tv-body-only", bytes.fromhex(message))
            .with_raw_secrets(bytes.fromhex(key))
            .signed_as(tag),
            wycheproof_code(number),
        )
    for name, timestamp, body, digits in ADCP:
        yield (
            f"adcp-{name}",
            "AdCP: timestamp, dot and body, as in `tv`",
            delivery("tv", body.encode(), stamp=timestamp, now=timestamp)
            .with_secrets(ADCP_SECRET)
            .signed_as(f"sha256={digits}"),
            OK,
        )
    for name, body, value, code in ADCP_REJECTED:
        yield (
            f"adcp-{name}",
            "AdCP: to be refused",
            delivery("tv", body.encode(), stamp=1700000000, now=1700000000)
            .with_secrets(ADCP_SECRET)
            .signed_as(value),
            code,
        )


def wycheproof_code(number):
    if number in TRUNCATED:
        return "malformed_header"
    if FIRST_MODIFIED <= number <= LAST_MODIFIED:
        return "signature_mismatch"
    return OK
