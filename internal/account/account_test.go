package account_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/harness/pg"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

func TestMain(m *testing.M) { pg.Main(m) }

// quick hashes in no time: what is tested is not argon2.
var quick = account.Argon2{Memory: 64, Time: 1, Threads: 1}

// clock is a Now that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func service(s *store.Store) (*account.Service, *clock) {
	c := &clock{at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	return account.New(s, account.Options{Domains: []string{"example.com", "example.net"}, Now: c.now, Hash: quick}), c
}

func add(t *testing.T, s *account.Service, address string) store.Account {
	t.Helper()
	a, err := s.Add(t.Context(), account.NewAccount{Address: ical.Mailto(address), DisplayName: "Ann Ä. Example", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestNewAccountHasItsCalendars(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s, _ := service(st)
		ann := add(t, s, "Ann@Example.com")
		if ann.Name != "ann" || ann.Kind != store.Individual {
			t.Errorf("account %+v", ann)
		}
		var got []string
		if err := st.View(t.Context(), func(tx *store.Tx) error {
			list, err := tx.Collections(ann.ID)
			for _, c := range list {
				got = append(got, fmt.Sprintf("%s %s %q %v", c.Name, c.Kind, c.DisplayName, c.Components))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		want := `default calendar "Calendar" [VEVENT]; tasks calendar "Tasks" [VTODO]; inbox inbox "Inbox" []; outbox outbox "Outbox" []`
		if g := strings.Join(got, "; "); g != want {
			t.Errorf("collections\n got %s\nwant %s", g, want)
		}
		if b := add(t, s, "ann@example.net"); b.Name != "ann@example.net" {
			t.Errorf("second ann has URL name %q, want the whole address", b.Name)
		}
		for _, bad := range []struct {
			n    account.NewAccount
			want problem.Condition
		}{
			{account.NewAccount{Address: "mailto:ANN@example.com"}, problem.Exists},
			{account.NewAccount{Address: "mailto:ann@elsewhere.test"}, problem.BadInput},
			{account.NewAccount{Address: "tel:+4912345"}, problem.BadInput},
			{account.NewAccount{Address: "mailto:room@example.com", Kind: "castle"}, problem.BadInput},
			{account.NewAccount{Address: "mailto:x@example.com", Password: strings.Repeat("x", 5000)}, problem.BadInput},
		} {
			if _, err := s.Add(t.Context(), bad.n); !problem.Has(err, bad.want) {
				t.Errorf("Add(%s): got %v, want %s", bad.n.Address, err, bad.want)
			}
		}
	})
}

func TestAuthenticate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s, _ := service(st)
		ann := add(t, s, "ann@example.com")
		other := add(t, s, "ann@example.net")
		bob, err := s.Add(t.Context(), account.NewAccount{Address: "mailto:bob@example.com", DisplayName: "Bob", Admin: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Disable(t.Context(), other.ID, true); err != nil {
			t.Fatal(err)
		}
		for i, c := range []struct {
			login, password string
			want            store.AccountID // 0: refused
		}{
			{"ann", "correct horse", ann.ID},
			{" ANN ", "correct horse", ann.ID},
			{"ann@example.com", "correct horse", ann.ID},
			{"mailto:Ann@example.com", "correct horse", ann.ID},
			{"ann", "Correct horse", 0},
			{"ann", "", 0},
			{"", "correct horse", 0},
			{"nobody", "correct horse", 0},
			{"ann@elsewhere.test", "correct horse", 0},
			{"ann@example.net", "correct horse", 0}, // disabled
			{"bob", "correct horse", 0},             // has no password
			{"bob", "", 0},
			{"ann\x00", "correct horse", 0},
			{"ann", strings.Repeat("x", 100_000), 0},
		} {
			who, err := s.Authenticate(t.Context(), c.login, c.password, fmt.Sprintf("192.0.2.%d", i))
			if c.want == 0 && !problem.Has(err, problem.Unauthenticated) || c.want != 0 && (err != nil || who.Account != c.want || who.Via != account.ViaPassword) {
				t.Errorf("Authenticate(%q): %+v, %v; want account %d", c.login, who, err, c.want)
			}
			if err != nil && c.password != "" && strings.Contains(fmt.Sprintf("%+v", err), c.password) {
				t.Errorf("the error repeats the password: %v", err)
			}
		}
		secret, row, err := s.AddAppPassword(t.Context(), bob.ID, "phone", time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{secret, strings.ToUpper(secret), strings.ReplaceAll(secret, "-", "")} {
			if who, err := s.Authenticate(t.Context(), "bob", p, "192.0.2.1"); err != nil || who.Account != bob.ID || who.Via != account.ViaAppPassword || !who.Admin {
				t.Errorf("app password: %+v, %v", who, err)
			}
		}
		if _, err := s.Authenticate(t.Context(), "ann", secret, "192.0.2.1"); !problem.Has(err, problem.Unauthenticated) {
			t.Errorf("bob's app password opens ann's account: %v", err)
		}
		if err := s.RevokeAppPassword(t.Context(), bob.ID, row.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(t.Context(), "bob", secret, "192.0.2.1"); !problem.Has(err, problem.Unauthenticated) {
			t.Errorf("a revoked app password opens the account: %v", err)
		}
	})
}

func TestChangesCountAtOnceAndOthersWithinASecond(t *testing.T) {
	st := storetest.SQLite(t)
	s, c := service(st)
	otherProcess := account.New(st, account.Options{Now: c.now, Hash: quick})
	ann := add(t, s, "ann@example.com")
	sign := func(password string) error {
		_, err := s.Authenticate(t.Context(), "ann", password, "192.0.2.1")
		return err
	}
	if err := sign("correct horse"); err != nil {
		t.Fatal(err)
	}
	if err := s.SetPassword(t.Context(), ann.ID, "battery staple"); err != nil {
		t.Fatal(err)
	}
	if err := sign("correct horse"); !problem.Has(err, problem.Unauthenticated) {
		t.Errorf("the old password still opens: %v", err)
	}
	if err := sign("battery staple"); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if err := otherProcess.Disable(t.Context(), ann.ID, true); err != nil {
		t.Fatal(err)
	}
	c.pass(time.Second)
	if err := sign("battery staple"); !problem.Has(err, problem.Unauthenticated) {
		t.Errorf("disabled by another process, and still open after a second: %v", err)
	}
}

func TestFailedSignInsAreSlowed(t *testing.T) {
	s, c := service(storetest.SQLite(t))
	add(t, s, "ann@example.com")
	for _, login := range []string{"ann", "nobody"} { // an unknown name is slowed like a known one
		if _, err := s.Authenticate(t.Context(), "ann", "correct horse", "198.51.100.7"); err != nil {
			t.Fatal(err)
		}
		var waits []time.Duration
		for i := 0; len(waits) < 4; i++ {
			_, err := s.Authenticate(t.Context(), login, fmt.Sprint("guess", i), fmt.Sprintf("2001:db8:%x::%x", i%9, i))
			var retry account.RetryAfter
			switch {
			case problem.Has(err, problem.Unauthenticated):
			case problem.Has(err, problem.RateLimited) && errors.As(err, &retry):
				waits = append(waits, time.Duration(retry))
				c.pass(time.Duration(retry))
			default:
				t.Fatalf("guess %d: %v", i, err)
			}
		}
		for i := range waits[1:] {
			if waits[i+1] < waits[i]*3/2 {
				t.Errorf("%s: waits %v do not grow", login, waits)
				break
			}
		}
		// The person who is in stays in.
		if _, err := s.Authenticate(t.Context(), "ann", "correct horse", "198.51.100.7"); err != nil {
			t.Errorf("the guesses lock ann out: %v", err)
		}
	}
}

func TestARepeatedStalePasswordIsOneFailure(t *testing.T) {
	s, _ := service(storetest.SQLite(t))
	add(t, s, "ann@example.com")
	for range 50 {
		if _, err := s.Authenticate(t.Context(), "ann", "last year's", "192.0.2.1"); !problem.Has(err, problem.Unauthenticated) {
			t.Fatal(err)
		}
	}
	if _, err := s.Authenticate(t.Context(), "ann", "correct horse", "192.0.2.1"); err != nil {
		t.Error(err)
	}
}

func TestGuessesFromOneNetworkAreSlowedTogether(t *testing.T) {
	s, _ := service(storetest.SQLite(t))
	for i := range 100 {
		_, err := s.Authenticate(t.Context(), fmt.Sprint("user", i), "password", fmt.Sprintf("[2001:db8::%x]:1234", i))
		if problem.Has(err, problem.RateLimited) {
			return
		}
	}
	t.Error("100 logins tried from one /64, and nothing slowed them")
}

func TestRenameKeepsTheOldAddress(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s, _ := service(st)
		ann := add(t, s, "ann@example.com")
		if err := s.Rename(t.Context(), "mailto:ann@example.com", "mailto:anna@example.com"); err != nil {
			t.Fatal(err)
		}
		for _, a := range []ical.Address{"mailto:ann@example.com", "mailto:ANNA@example.com"} {
			got, ok, err := s.Lookup(t.Context(), a)
			if err != nil || !ok || got.ID != ann.ID || got.Name != "ann" {
				t.Errorf("Lookup(%s): %+v %v %v", a, got, ok, err)
			}
		}
		list, err := s.Addresses(t.Context(), ann.ID)
		if err != nil || len(list) != 1 || list[0] != "mailto:anna@example.com" {
			t.Errorf("addresses %v %v", list, err)
		}
		if err := s.Rename(t.Context(), "mailto:nobody@example.com", "mailto:x@example.com"); !problem.Has(err, problem.NotFound) {
			t.Errorf("renaming nobody: %v", err)
		}
		if err := s.SetAddresses(t.Context(), ann.ID, []ical.Address{"mailto:anna@example.com", "mailto:a@elsewhere.test"}); err != nil {
			t.Fatal(err)
		}
		for a, want := range map[ical.Address]bool{"mailto:who@example.com": true, "mailto:A@elsewhere.test": true, "mailto:b@elsewhere.test": false, "tel:1": false} {
			if got := s.IsLocal(a); got != want {
				t.Errorf("IsLocal(%s) = %v", a, got)
			}
		}
		bob := add(t, s, "bob@example.com")
		if err := s.SetAddresses(t.Context(), bob.ID, []ical.Address{"mailto:anna@example.com"}); !problem.Has(err, problem.Exists) {
			t.Errorf("taking ann's address: %v", err)
		}
	})
}

func TestSearch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s, _ := service(st)
		for _, n := range [][2]string{{"joerg@example.com", "Jörg Müller"}, {"jane@example.com", "Jane Miller"}, {"blue@example.com", "Room Blue 50%"}} {
			if _, err := s.Add(t.Context(), account.NewAccount{Address: ical.Mailto(n[0]), DisplayName: n[1]}); err != nil {
				t.Fatal(err)
			}
		}
		for tokens, want := range map[string]string{
			"jorg": "joerg", "MULL": "joerg", "j": "jane joerg", "j mil": "jane", "iller": "", strings.Repeat("j", 60_000): "", strings.Repeat("j ", 10_000): "", "50%": "blue", "%": "", "_": "", "blue@ex": "blue",
		} {
			list, err := s.Search(t.Context(), strings.Fields(tokens), 10)
			var got []string
			for _, m := range list {
				got = append(got, m.Name)
			}
			if g := strings.Join(got, " "); err != nil || g != want {
				t.Errorf("Search(%s) = %q %v, want %q", tokens, g, err, want)
			}
		}
		if list, err := s.Search(t.Context(), nil, 2); err != nil || len(list) != 2 {
			t.Errorf("limit: %v %v", list, err)
		}
	})
}

func TestSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s, c := service(st)
		ann := add(t, s, "ann@example.com")
		sign := func() string {
			secret, _, err := s.NewSession(t.Context(), account.Actor{Account: ann.ID}, "Browser/1")
			if err != nil {
				t.Fatal(err)
			}
			return secret
		}
		refused := func(what, secret string) {
			t.Helper()
			if _, err := s.Session(t.Context(), secret); !problem.Has(err, problem.Unauthenticated) {
				t.Errorf("%s: %v", what, err)
			}
		}
		one, two := sign(), sign()
		if who, err := s.Session(t.Context(), one); err != nil || who.Account != ann.ID || who.Via != account.ViaSession {
			t.Errorf("session: %+v %v", who, err)
		}
		if err := s.EndSession(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		refused("an ended session", one)
		refused("a made-up session", "xyz")
		if err := s.SetPassword(t.Context(), ann.ID, "another"); err != nil {
			t.Fatal(err)
		}
		refused("a session from before the new password", two)
		three, four := sign(), sign()
		who, err := s.Session(t.Context(), three)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			current, new string
			want         problem.Condition
		}{{"wrong", "new", problem.Forbidden}, {"another", "", problem.BadInput}, {"another", "new", ""}} {
			if err := s.ChangePassword(t.Context(), who, c.current, c.new); c.want == "" && err != nil || c.want != "" && !problem.Has(err, c.want) {
				t.Errorf("ChangePassword(%s, %s): %v, want %q", c.current, c.new, err, c.want)
			}
		}
		refused("another browser after the password was changed", four)
		if _, err := s.Session(t.Context(), three); err != nil {
			t.Errorf("the browser that changed the password: %v", err)
		}
		c.pass(31 * 24 * time.Hour)
		refused("an old session", three)
		if err := s.ExpireSessions(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
