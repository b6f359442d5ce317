package account

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
)

func TestPasswordHashIsAPHCStringOfRFC9106(t *testing.T) {
	h := newHasher(Argon2{})
	encoded, err := h.hash(t.Context(), "secret")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(encoded, "$argon2id$v=19$m=65536,t=3,p=4$") {
		t.Errorf("hash %s", encoded)
	}
	for password, want := range map[string]bool{"secret": true, "Secret": false, "": false} {
		if ok, err := h.verify(t.Context(), password, encoded); ok != want || err != nil {
			t.Errorf("verify(%q) = %v %v", password, ok, err)
		}
	}
	if ok, err := h.verify(t.Context(), "secret", ""); ok || err != nil {
		t.Errorf("no password at all matches: %v %v", ok, err)
	}
}

func TestParsePHCRefusesWhatWouldExhaustUs(t *testing.T) {
	for _, s := range []string{"", "x", "$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=99999999,t=1,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=64,t=9999,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=64,t=0,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAA$", "$argon2id$v=16$m=64,t=1,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"} {
		if _, _, _, err := parsePHC(s); err == nil {
			t.Errorf("parsePHC(%q) took it", s)
		}
	}
}

func TestLimiterMemoryIsBounded(t *testing.T) {
	var l limiter
	at := time.Unix(1_800_000_000, 0)
	for i := range maxRecords * 2 {
		var wrong [32]byte
		wrong[0], wrong[1], wrong[2] = byte(i), byte(i>>8), byte(i>>16)
		l.failed(strings.Repeat("x", i%7)+string(rune(0x4e00+i%20000)), "192.0.2.1", wrong, at)
	}
	if len(l.records) > maxRecords+2 {
		t.Errorf("%d records", len(l.records))
	}
	if l.wait("x", "192.0.2.1", at) == 0 {
		t.Error("the busy source was forgotten")
	}
}

// TestOneCredentialIsHashedOnce is a client that opens with many requests.
func TestOneCredentialIsHashedOnce(t *testing.T) {
	s := New(storetest.SQLite(t), Options{Hash: Argon2{Memory: 64, Time: 1, Threads: 1}})
	if _, err := s.Add(t.Context(), NewAccount{Address: "mailto:ann@example.com", Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	for range argonRuns { // hold all hashing up
		s.hasher.slots <- struct{}{}
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := s.Authenticate(t.Context(), "ann", "secret", "192.0.2.1"); err != nil {
				t.Error(err)
			}
		})
	}
	for s.hasher.waiting.Load() == 0 {
		runtime.Gosched()
	}
	for range 1000 {
		runtime.Gosched()
		if n := s.hasher.waiting.Load(); n > 1 {
			t.Errorf("%d hashes of one password wait", n)
			break
		}
	}
	for range argonRuns {
		<-s.hasher.slots
	}
	wg.Wait()
}

func TestGuessesAtOnceAreNoBetterThanOneByOne(t *testing.T) {
	s := New(storetest.SQLite(t), Options{Hash: Argon2{Memory: 64, Time: 1, Threads: 1}, Domains: []string{"example.com"}})
	if _, err := s.Add(t.Context(), NewAccount{Address: "mailto:ann@example.com", Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	for range argonRuns { // hold all hashing up, so that every guess is under way at once
		s.hasher.slots <- struct{}{}
	}
	const guesses = 60
	results := make(chan error, guesses)
	for i := range guesses {
		// Spellings of one address are one login.
		login := []string{"ann@example.com", "a%6En@example.com", "mailto:ANN@example.com", "<ann@example.com>"}[i%4]
		go func() {
			_, err := s.Authenticate(t.Context(), login, fmt.Sprint("guess", i), fmt.Sprintf("2001:db8:%x::1", i))
			results <- err
		}()
	}
	slowed := 0
	for range guesses - freeFailures { // the rest waits for the hasher
		if err := <-results; !problem.Has(err, problem.RateLimited) {
			t.Fatalf("a guess was tried beside %d others: %v", freeFailures, err)
		}
		slowed++
	}
	for range argonRuns {
		<-s.hasher.slots
	}
	for range freeFailures {
		if err := <-results; !problem.Has(err, problem.Unauthenticated) {
			t.Error(err)
		}
	}
	if len(s.limiter.pending) != 0 {
		t.Errorf("attempts that ended are still counted: %v", s.limiter.pending)
	}
}
