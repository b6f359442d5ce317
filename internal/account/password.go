package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"

	"github.com/convene-cal/convene/internal/problem"
)

// Argon2 are the parameters of argon2id (RFC 9106 3.1).
type Argon2 struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8  // lanes
}

// recommended is RFC 9106 section 4, second option: 3 passes over 64 MiB in 4
// lanes, for where 2 GiB is too much.
var recommended = Argon2{Memory: 64 << 10, Time: 3, Threads: 4}

const (
	saltSize = 16 // RFC 9106 3.1: 128 bits suffice
	hashSize = 32 // RFC 9106 4: 256-bit tag
	// argonRuns is how many hashes are computed at once and argonQueue how many
	// may wait for that: together they bound memory and time under attack.
	argonRuns  = 2
	argonQueue = 64
	// maxPassword keeps a request from buying much hashing with long input.
	maxPassword = 1024
)

// hasher computes password hashes, few at a time.
type hasher struct {
	params  Argon2
	slots   chan struct{}
	waiting atomic.Int32
	dummy   string // a hash of nobody's password, for logins that do not exist
}

func newHasher(p Argon2) *hasher {
	if p == (Argon2{}) {
		p = recommended
	}
	h := &hasher{params: p, slots: make(chan struct{}, argonRuns)}
	h.dummy = phc(p, make([]byte, saltSize), make([]byte, hashSize))
	return h
}

// run computes one hash when its turn comes.
func (h *hasher) run(ctx context.Context, p Argon2, password string, salt []byte, size uint32) ([]byte, error) {
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > argonQueue {
		return nil, tooMany(busyPause)
	}
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	key := argon2.IDKey([]byte(password), salt, p.Time, p.Memory, p.Threads, size)
	<-h.slots
	if h.waiting.Load() == 1 && p.Memory >= recommended.Memory/2 {
		// The library leaves tens of megabytes of garbage, which would stay in
		// the process for minutes; hashes are rare enough to give it back.
		debug.FreeOSMemory()
	}
	return key, nil
}

// hash makes the PHC string of a new password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if len(password) > maxPassword {
		return "", problem.New(problem.BadInput, "The password is too long: at most %d octets.", maxPassword)
	}
	salt := make([]byte, saltSize)
	rand.Read(salt)
	key, err := h.run(ctx, h.params, password, salt, hashSize)
	if err != nil {
		return "", err
	}
	return phc(h.params, salt, key), nil
}

// verify compares a password with a PHC string; an empty one matches nothing
// and takes as long.
func (h *hasher) verify(ctx context.Context, password, encoded string) (bool, error) {
	known := encoded != ""
	if !known {
		encoded = h.dummy
	}
	if len(password) > maxPassword {
		password, known = "", false
	}
	p, salt, want, err := parsePHC(encoded)
	if err != nil {
		return false, err
	}
	got, err := h.run(ctx, p, password, salt, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

// phc writes a hash as the Password Hashing Competition's string format does.
func phc(p Argon2, salt, key []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.Memory, p.Time, p.Threads, b64(salt), b64(key))
}

var errPHC = errors.New("account: stored password hash is not an argon2id PHC string")

// parsePHC reads what phc wrote, within bounds that a stored value cannot use
// to exhaust the machine.
func parsePHC(s string) (p Argon2, salt, key []byte, err error) {
	f := strings.Split(s, "$")
	if len(f) != 6 || f[0] != "" || f[1] != "argon2id" {
		return p, nil, nil, errPHC
	}
	var version int
	if n, err := fmt.Sscanf(f[2], "v=%d", &version); n != 1 || err != nil || version != argon2.Version {
		return p, nil, nil, errPHC
	}
	if n, err := fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &p.Threads); n != 3 || err != nil {
		return p, nil, nil, errPHC
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(f[4])
	key, err2 := base64.RawStdEncoding.DecodeString(f[5])
	if err1 != nil || err2 != nil || len(salt) < 8 || len(salt) > 64 || len(key) < 16 || len(key) > 64 ||
		p.Memory > 1<<20 || p.Time < 1 || p.Time > 64 || p.Threads < 1 {
		return p, nil, nil, errPHC
	}
	return p, salt, key, nil
}

// App passwords are 128 random bits as 26 letters and digits, written in
// groups so that a person can type them. They cannot be guessed, so that a
// fast hash keeps them.
const appPasswordBits = 128

var appPasswordEncoding = base32.NewEncoding("abcdefghjkmnpqrstuvwxyz023456789").WithPadding(base32.NoPadding)

func newAppPassword() (shown string, hash []byte) {
	secret := make([]byte, appPasswordBits/8)
	rand.Read(secret)
	text := appPasswordEncoding.EncodeToString(secret)
	sum := sha256.Sum256([]byte(text))
	var b strings.Builder
	for i, r := range text {
		if i > 0 && i%5 == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return b.String(), sum[:]
}

// appPasswordHash is the hash of what may be an app password; ok tells whether
// it looks like one, with or without its dashes, in any case.
func appPasswordHash(password string) (hash []byte, ok bool) {
	if len(password) > 40 {
		return nil, false
	}
	text := strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(password))
	secret, err := appPasswordEncoding.DecodeString(text)
	if err != nil || len(secret) != appPasswordBits/8 {
		return nil, false
	}
	sum := sha256.Sum256([]byte(text))
	return sum[:], true
}
