package journal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/harness/pg"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
)

func TestMain(m *testing.M) { pg.Main(m) }

// post is a transport whose recipients are a map.
type post struct {
	name string
	mu   sync.Mutex
	got  []string
	sent int
	fail func(e *store.Entry) *journal.Outcome
}

func (p *post) Name() string { return p.name }
func (p *post) Accepts(_ context.Context, to ical.Address) bool {
	return strings.HasSuffix(to.Key(), ".test")
}
func (p *post) Send(_ context.Context, batch []*store.Entry) []journal.Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []journal.Outcome
	for _, e := range batch {
		p.sent++
		if p.fail != nil {
			if o := p.fail(e); o != nil {
				out = append(out, *o)
				continue
			}
		}
		p.got = append(p.got, fmt.Sprintf("%s %s %s", e.Method, e.UID, e.To))
		out = append(out, journal.Outcome{State: journal.Sent})
	}
	return out
}

func (p *post) arrived() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.got)
}

func alice(t *testing.T, s *store.Store) store.AccountID {
	t.Helper()
	a := store.Account{Name: "alice", Kind: store.Individual, Created: time.Now()}
	if err := s.Update(t.Context(), func(tx *store.Tx) error { a.ID = 0; return tx.AddAccount(&a) }); err != nil {
		t.Fatal(err)
	}
	return a.ID
}

func message(account store.AccountID, method, uid, rid, to string) *store.Entry {
	text := "BEGIN:VCALENDAR\r\nMETHOD:" + method + "\r\nBEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTART:20260302T090000Z\r\n"
	if rid != "" {
		text += "RECURRENCE-ID:" + rid + "\r\n"
	}
	return &store.Entry{Account: account, Method: method, UID: uid, RecurrenceID: rid, From: "mailto:alice@example.test", To: to, Calendar: []byte(text + "END:VEVENT\r\nEND:VCALENDAR\r\n")}
}

func add(t *testing.T, s *store.Store, j *journal.Journal, entries ...*store.Entry) {
	t.Helper()
	for _, e := range entries {
		if err := s.Update(t.Context(), func(tx *store.Tx) error { return j.Add(tx, e) }); err != nil {
			t.Fatalf("add %s: %v", e.Method, err)
		}
	}
}

func states(t *testing.T, j *journal.Journal, account store.AccountID) []string {
	t.Helper()
	rows, err := j.List(t.Context(), store.EntryFilter{Account: account})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(rows)
	var out []string
	for _, r := range rows {
		out = append(out, r.Method+" "+r.State)
	}
	return out
}

// A crash between sending and writing it down leaves a lease behind: who may
// have been invited is uninvited.
func TestWhatMayHaveGoneOutIsCancelled(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		j := journal.New(journal.Options{Store: s})
		a := alice(t, s)
		invitation := message(a, "REQUEST", "1@example.test", "", "mailto:dave@elsewhere.test")
		invitation.Opens, invitation.LeaseOwner, invitation.LeaseUntil = true, "a courier that died", time.Now().Add(-time.Hour)
		add(t, s, j, invitation)
		add(t, s, j, message(a, "CANCEL", "1@example.test", "", "mailto:dave@elsewhere.test"))
		if got, want := states(t, j, a), []string{"REQUEST superseded", "CANCEL due"}; !slices.Equal(got, want) {
			t.Errorf("rows are %q, want %q", got, want)
		}
	})
}

func TestUnsentMessagesAreCoalesced(t *testing.T) {
	const dave, erin = "mailto:dave@elsewhere.test", "mailto:erin@elsewhere.test"
	type step struct{ method, rid, to string }
	for _, c := range []struct {
		name  string
		steps []step
		want  []string
	}{
		{"a newer invitation supersedes an older", []step{{"REQUEST", "", dave}, {"REQUEST", "", dave}}, []string{"REQUEST superseded", "REQUEST due"}},
		{"not another recipient's", []step{{"REQUEST", "", dave}, {"REQUEST", "", erin}}, []string{"REQUEST due", "REQUEST due"}},
		{"addresses compare without case", []step{{"REQUEST", "", dave}, {"REQUEST", "", "mailto:Dave@Elsewhere.TEST"}}, []string{"REQUEST superseded", "REQUEST due"}},
		{"not another occurrence's", []step{{"REQUEST", "20260302T090000Z", dave}, {"REQUEST", "20260309T090000Z", dave}}, []string{"REQUEST due", "REQUEST due"}},
		{"cancelling before anyone saw it annihilates both", []step{{"REQUEST", "", dave}, {"CANCEL", "", dave}}, []string{"REQUEST superseded", "CANCEL superseded"}},
		{"cancelling one occurrence leaves the invitation", []step{{"REQUEST", "", dave}, {"CANCEL", "20260302T090000Z", dave}}, []string{"REQUEST due", "CANCEL due"}},
		{"an answer changed at once", []step{{"REPLY", "", dave}, {"REPLY", "", dave}}, []string{"REPLY superseded", "REPLY due"}},
		{"an answer does not replace an invitation", []step{{"REQUEST", "", dave}, {"REPLY", "", dave}}, []string{"REQUEST due", "REPLY due"}},
		{"invited again before the cancellation went out", []step{{"CANCEL", "", dave}, {"REQUEST", "", dave}}, []string{"CANCEL superseded", "REQUEST due"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				j := journal.New(journal.Options{Store: s})
				a := alice(t, s)
				for i, x := range c.steps {
					e := message(a, x.method, "1@example.test", x.rid, x.to)
					e.Opens = i == 0 && x.method == "REQUEST"
					add(t, s, j, e)
				}
				if got := states(t, j, a); !slices.Equal(got, c.want) {
					t.Errorf("rows are %q, want %q", got, c.want)
				}
			})
		})
	}
}

func TestCancelOfASentInvitationGoesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.SQLite(t)
		p := &post{name: "mail"}
		j := journal.New(journal.Options{Store: s, Transports: []journal.Transport{p}, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
		a := alice(t, s)
		add(t, s, j, message(a, "REQUEST", "1@example.test", "", "mailto:dave@elsewhere.test"))
		stop := run(t, j)
		time.Sleep(3 * time.Second)
		add(t, s, j, message(a, "REQUEST", "1@example.test", "", "mailto:dave@elsewhere.test"), message(a, "CANCEL", "1@example.test", "", "mailto:dave@elsewhere.test"))
		time.Sleep(3 * time.Second)
		stop()
		want := []string{"REQUEST 1@example.test mailto:dave@elsewhere.test", "CANCEL 1@example.test mailto:dave@elsewhere.test"}
		if got := p.arrived(); !slices.Equal(got, want) {
			t.Errorf("arrived: %q\nwant %q", got, want)
		}
	})
}

// run starts the courier; the function it returns stops it and waits.
func run(t *testing.T, j *journal.Journal) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("courier ended with %v", err)
		}
	}
}

func TestTemporaryFailuresAreRetriedUntilPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.SQLite(t)
		p := &post{name: "mail", fail: func(*store.Entry) *journal.Outcome {
			return &journal.Outcome{State: journal.Retry, Sentence: "The relay answered 451."}
		}}
		var settled []journal.Settled
		j := journal.New(journal.Options{Store: s, Transports: []journal.Transport{p}, Jitter: func() float64 { return 0.5 }, Poll: time.Minute})
		j.OnSettle(func(_ *store.Tx, done []journal.Settled) error { settled = append(settled, done...); return nil })
		a := alice(t, s)
		e := message(a, "REQUEST", "1@example.test", "", "mailto:dave@elsewhere.test")
		add(t, s, j, e)
		stop := run(t, j)
		time.Sleep(time.Hour)
		row, err := j.Show(t.Context(), a, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if row.State != journal.Due || row.Status != "1.0" || len(row.Attempts) < 5 || len(row.Attempts) > 7 {
			t.Errorf("after an hour: state %s, status %s, %d attempts; want due, 1.0, about 6", row.State, row.Status, len(row.Attempts))
		}
		time.Sleep(5 * 24 * time.Hour)
		stop()
		row, err = j.Show(t.Context(), a, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if row.State != journal.Failed || row.Status != "5.1" || !strings.Contains(row.Sentence, "451") || !strings.Contains(row.Sentence, "Given up after 5 days") {
			t.Errorf("after five days: state %s, status %s, sentence %q", row.State, row.Status, row.Sentence)
		}
		if last := settled[len(settled)-1]; last.Outcome.State != journal.Failed || last.Entry.Status != "5.1" {
			t.Errorf("the hook was told %+v last", last.Outcome)
		}

		// A person asks again, and the relay is back.
		p.mu.Lock()
		p.fail = nil
		p.mu.Unlock()
		if _, err := j.Retry(t.Context(), a, e.ID); err != nil {
			t.Fatal(err)
		}
		stop = run(t, j)
		time.Sleep(time.Minute)
		stop()
		if row, _ = j.Show(t.Context(), a, e.ID); row.State != journal.Sent || row.Status != "1.1" {
			t.Errorf("after asking again: state %s, status %s", row.State, row.Status)
		}
	})
}

func TestLaterMessageWaitsForTheEarlier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.SQLite(t)
		down := true
		p := &post{name: "mail"}
		p.fail = func(e *store.Entry) *journal.Outcome {
			if down && e.To == "mailto:dave@elsewhere.test" {
				return &journal.Outcome{State: journal.Retry, After: time.Minute}
			}
			return nil
		}
		j := journal.New(journal.Options{Store: s, Transports: []journal.Transport{p}, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
		a := alice(t, s)
		add(t, s, j,
			message(a, "REQUEST", "1@example.test", "20260302T090000Z", "mailto:dave@elsewhere.test"),
			message(a, "REQUEST", "1@example.test", "20260309T090000Z", "mailto:dave@elsewhere.test"),
			message(a, "REQUEST", "1@example.test", "", "mailto:erin@elsewhere.test"))
		stop := run(t, j)
		time.Sleep(10 * time.Second)
		if got := p.arrived(); len(got) != 1 || !strings.Contains(got[0], "erin") {
			t.Errorf("while dave's server is down, arrived: %q", got)
		}
		if p.sent != 2 {
			t.Errorf("%d attempts, want 2: the second message to dave waits for the first", p.sent)
		}
		p.mu.Lock()
		down = false
		p.mu.Unlock()
		time.Sleep(2 * time.Minute)
		stop()
		if got := p.arrived(); len(got) != 3 {
			t.Errorf("after it came back, arrived: %q", got)
		}
	})
}

func TestNobodyAcceptsTheRecipient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.SQLite(t)
		j := journal.New(journal.Options{Store: s, Transports: []journal.Transport{&post{name: "mail"}}})
		a := alice(t, s)
		e := message(a, "REQUEST", "1@example.test", "", "urn:uuid:5cc0b0a6-4d9c-4d1c-8f43-000000000000")
		add(t, s, j, e)
		stop := run(t, j)
		time.Sleep(5 * time.Second)
		stop()
		if row, _ := j.Show(t.Context(), a, e.ID); row.State != journal.Failed || row.Status != "5.2" || row.Sentence == "" {
			t.Errorf("state %s, status %s, sentence %q; want failed, 5.2 and a sentence", row.State, row.Status, row.Sentence)
		}
	})
}

func TestTwoCouriersSendEachMessageOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if s.Engine() == "sqlite" { // PostgreSQL's listener starts whenever it likes
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		}
		p := &post{name: "mail"}
		const n = 300
		done := make(chan struct{})
		var mu sync.Mutex
		settled := 0
		o := journal.Options{Store: s, Transports: []journal.Transport{p}, Poll: 10 * time.Millisecond, OnOutcome: func(context.Context, *store.Entry, journal.Outcome) {
			mu.Lock()
			defer mu.Unlock()
			if settled++; settled == n {
				close(done)
			}
		}}
		o.Node = "one"
		j1 := journal.New(o)
		o.Node = "two"
		j2 := journal.New(o)
		a := alice(t, s)
		for i := range n {
			add(t, s, j1, message(a, "REQUEST", fmt.Sprintf("%d@example.test", i), "", "mailto:dave@elsewhere.test"))
		}
		stop1, stop2 := run(t, j1), run(t, j2)
		select {
		case <-done:
		case <-time.After(5 * time.Minute):
			t.Error("not all were sent within 30 s")
		}
		stop1()
		stop2()
		got := p.arrived()
		slices.Sort(got)
		if len(got) != n || len(slices.Compact(got)) != n {
			t.Errorf("%d messages arrived, want %d different ones", len(got), n)
		}
	})
}

func TestCourierTakesOverAfterACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.SQLite(t)
		p := &post{name: "mail"}
		j := journal.New(journal.Options{Store: s, Transports: []journal.Transport{p}, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
		a := alice(t, s)
		add(t, s, j, message(a, "REQUEST", "1@example.test", "", "mailto:dave@elsewhere.test"))
		// A courier that dies with the rows in its hands.
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			rows, err := tx.ClaimDue(time.Now(), 10*time.Minute, 10, "dead")
			if err == nil && len(rows) != 1 {
				err = fmt.Errorf("%d rows claimed", len(rows))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		stop := run(t, j)
		time.Sleep(9 * time.Minute)
		if got := p.arrived(); len(got) != 0 {
			t.Errorf("sent although another courier holds it: %q", got)
		}
		time.Sleep(2 * time.Minute)
		stop()
		if got := p.arrived(); len(got) != 1 {
			t.Errorf("after the lease ended, arrived: %q", got)
		}
	})
}

func TestANamedCourierTakesBackWhatItHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.SQLite(t)
		p := &post{name: "mail"}
		j := journal.New(journal.Options{Store: s, Transports: []journal.Transport{p}, Node: "one"})
		a := alice(t, s)
		add(t, s, j, message(a, "REQUEST", "1@example.test", "", "mailto:dave@elsewhere.test"))
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ClaimDue(time.Now(), 10*time.Minute, 10, "one")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		stop := run(t, j)
		time.Sleep(3 * time.Second)
		stop()
		if got := p.arrived(); len(got) != 1 {
			t.Errorf("arrived: %q", got)
		}
	})
}

func TestASupersedingMessageTellsAllThatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.SQLite(t)
		p := &post{name: "mail"}
		j := journal.New(journal.Options{Store: s, Transports: []journal.Transport{p}})
		a := alice(t, s)
		change := func(text string) *store.Entry {
			e := message(a, "REQUEST", "1@example.test", "", "mailto:dave@elsewhere.test")
			if text != "" {
				e.Changes = []byte(text)
			}
			return e
		}
		first, second := change(""), change(`[{"property":"LOCATION","old":"A","new":"B"}]`)
		first.Opens = true
		add(t, s, j, first, second)
		if len(second.Changes) != 0 {
			t.Errorf("the first the recipient hears tells changes: %s", second.Changes)
		}
		stop := run(t, j)
		time.Sleep(3 * time.Second)
		stop()
		last := change(`[{"property":"LOCATION","old":"C","new":"D"},{"property":"DTSTART","old":"2","new":"1"},{"property":"SUMMARY","old":"x","new":"y"}]`)
		add(t, s, j, change(`[{"property":"LOCATION","old":"B","new":"C"},{"property":"DTSTART","old":"1","new":"2"}]`), last)
		want := `[{"property":"LOCATION","old":"B","new":"D"},{"property":"SUMMARY","old":"x","new":"y"}]`
		if string(last.Changes) != want {
			t.Errorf("changes %s\nwant    %s", last.Changes, want)
		}
	})
}

func TestAChangeTakenBackSendsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		j := journal.New(journal.Options{Store: s})
		a := alice(t, s)
		moved := func(old, new string, asks bool) *store.Entry {
			e := message(a, "REQUEST", "1@example.test", "", "mailto:dave@elsewhere.test")
			e.Changes, e.Asks = []byte(`[{"property":"LOCATION","old":"`+old+`","new":"`+new+`"}]`), asks
			return e
		}
		add(t, s, j, moved("A", "B", false), moved("B", "A", false))
		if got := states(t, j, a); !slices.Equal(got, []string{"REQUEST superseded", "REQUEST superseded"}) {
			t.Errorf("there and back: %q", got)
		}
		// Whose answer was opened again has to hear of it.
		add(t, s, j, moved("A", "B", true), moved("B", "A", false))
		if got := states(t, j, a); got[3] != "REQUEST due" {
			t.Errorf("after an answer was opened: %q", got)
		}
		// What may have arrived although its attempt failed is not taken back in silence.
		tried := moved("A", "B", false)
		tried.To = "mailto:erin@elsewhere.test"
		tried.Attempts = []store.Attempt{{Sentence: "The server hung up."}}
		back := moved("B", "A", false)
		back.To = tried.To
		add(t, s, j, tried, back)
		if got := states(t, j, a); got[4] != "REQUEST superseded" || got[5] != "REQUEST due" {
			t.Errorf("after an attempt: %q", got)
		}
	})
}
