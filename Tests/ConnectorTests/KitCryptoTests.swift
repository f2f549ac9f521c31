import Testing

@testable import Cryptography

@Suite struct KitCryptoTests {
    private func bytes(_ hex: String) throws -> [UInt8] { try #require(Crypto.unhex(hex)) }

    /// RFC 4231, test cases 1 to 4, 6 and 7.
    @Test(arguments: [
        (
            String(repeating: "0b", count: 20), "4869205468657265",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            String(repeating: "aa", count: 20), String(repeating: "dd", count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            "0102030405060708090a0b0c0d0e0f10111213141516171819", String(repeating: "cd", count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
        (
            String(repeating: "aa", count: 131),
            "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func hmac(_ key: String, _ message: String, _ expected: String) throws {
        let signature = Crypto.hmacSHA256(key: try bytes(key), try bytes(message))
        #expect(Crypto.hex(signature) == expected)
        #expect(HMACKey(try bytes(key)).isValid(signature, for: try bytes(message)))
        #expect(!HMACKey(try bytes(key)).isValid(signature, for: try bytes(message) + [0]))
    }

    @Test func sha256() {
        #expect(
            Crypto.hex(Crypto.sha256("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Crypto.hex(Crypto.sha256([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func aKeyServesManyThreads() async {
        let key = HMACKey([UInt8](repeating: 7, count: 32))
        let expected = key.sign("message".utf8)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask { (0..<2000).allSatisfy { _ in key.sign("message".utf8) == expected } }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    /// NIST's GCM vectors for 256-bit keys: empty, one block, and case 16 with associated data.
    @Test(arguments: [
        (
            String(repeating: "00", count: 32), String(repeating: "00", count: 12), "", "",
            "530f8afbc74536b9a963b4f1c4cb738b"
        ),
        (
            String(repeating: "00", count: 32), String(repeating: "00", count: 12), String(repeating: "00", count: 16),
            "", "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
        ),
    ])
    func gcm(_ key: String, _ nonce: String, _ plain: String, _ associated: String, _ expected: String) throws {
        let sealed = try Crypto.seal(
            try bytes(plain), key: try bytes(key), associated: try bytes(associated), nonce: try bytes(nonce))
        #expect(Crypto.hex(sealed) == nonce + expected)
        #expect(try Crypto.open(sealed, key: try bytes(key), associated: try bytes(associated)) == bytes(plain))
    }

    @Test func sealedBytesOpenOnlyAsTheyWere() throws {
        let key = Crypto.randomBytes(32)
        let sealed = try Crypto.seal(Array("secret".utf8), key: key, associated: Array("a|b".utf8))
        #expect(sealed != (try Crypto.seal(Array("secret".utf8), key: key, associated: Array("a|b".utf8))))
        #expect(throws: CryptoError.notAuthentic) { try Crypto.open(sealed, key: key, associated: Array("a|c".utf8)) }
        #expect(throws: CryptoError.notAuthentic) {
            try Crypto.open(sealed, key: Crypto.randomBytes(32), associated: Array("a|b".utf8))
        }
        for place in sealed.indices {
            var altered = sealed
            altered[place] ^= 1
            #expect(throws: CryptoError.notAuthentic) {
                try Crypto.open(altered, key: key, associated: Array("a|b".utf8))
            }
        }
        #expect(throws: CryptoError.notAuthentic) { try Crypto.open([1, 2, 3], key: key, associated: []) }
        #expect(throws: CryptoError.badKey) { try Crypto.seal([1], key: [1, 2], associated: []) }
    }

    /// RFC 7914 section 12.
    @Test(arguments: [
        (
            "", "", 4, 1, 1,
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
        ),
        (
            "password", "NaCl", 10, 8, 16,
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
        ),
    ])
    func scrypt(_ password: String, _ salt: String, _ logN: Int, _ r: Int, _ p: Int, _ expected: String) throws {
        let hash = try PasswordHash.derive(
            Array(password.utf8), salt: Array(salt.utf8), cost: .init(logN: logN, r: r, p: p), length: 64)
        #expect(Crypto.hex(hash) == expected)
    }

    @Test func passwords() throws {
        let stored = try PasswordHash.make("correct horse battery staple")
        #expect(stored.hasPrefix("$scrypt$ln=17,r=8,p=1$") && !stored.contains("=$"))
        #expect(try PasswordHash.verify("correct horse battery staple", against: stored))
        #expect(try !PasswordHash.verify("correct horse battery stapler", against: stored))
        #expect(!PasswordHash.needsRehash(stored))
        let weak = try PasswordHash.make("x", salt: Crypto.randomBytes(16), cost: .init(logN: 10, r: 8, p: 1))
        #expect(try PasswordHash.verify("x", against: weak))
        #expect(PasswordHash.needsRehash(weak))
        #expect(throws: CryptoError.passwordTooLong) { try PasswordHash.make(String(repeating: "x", count: 1025)) }
        for broken in ["", "$scrypt$", "$scrypt$ln=63,r=8,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA", "plain"] {
            #expect(try !PasswordHash.verify("x", against: broken))
            #expect(PasswordHash.needsRehash(broken))
        }
    }

    /// RFC 4648 section 10, and what a strict reader refuses.
    @Test func base64() {
        let pairs = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        for (plain, text) in pairs {
            #expect(Crypto.base64(plain.utf8) == text)
            #expect(Crypto.unbase64(text) == Array(plain.utf8))
        }
        #expect(Crypto.base64url([0xFB, 0xFF]) == "-_8")
        #expect(Crypto.unbase64url("-_8") == [0xFB, 0xFF])
        for wrong in ["Z", "Zh==", "Zm9=", "Zm 9", "-_8", "====", "Zg==Zg=="] {
            #expect(Crypto.unbase64(wrong) == nil, "\(wrong)")
        }
        let random = Crypto.randomBytes(1000)
        #expect(Crypto.unbase64(Crypto.base64(random)) == random)
        #expect(Crypto.unhex(Crypto.hex(random).uppercased()) == random)
        #expect(Crypto.unhex("0g") == nil && Crypto.unhex("012") == nil)
    }

    @Test func comparing() {
        #expect(Crypto.constantTimeEqual([1, 2], [1, 2]))
        #expect(!Crypto.constantTimeEqual([1, 2], [1, 3]))
        #expect(!Crypto.constantTimeEqual([1, 2], [1, 2, 3]))
        #expect(Crypto.constantTimeEqual([UInt8](), []))
    }
}
