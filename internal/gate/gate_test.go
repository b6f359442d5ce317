package gate

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
	"github.com/convene-cal/convene/itip"
)

var (
	start = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	admin = account.Actor{Account: 99, Admin: true}
)

func open(t *testing.T, l Limits) (*Gate, *time.Time, store.AccountID) {
	t.Helper()
	s := storetest.SQLite(t)
	a := store.Account{Name: "ann", Kind: store.Individual, Created: start}
	if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.AddAccount(&a) }); err != nil {
		t.Fatal(err)
	}
	clock := start
	return New(s, l, func() time.Time { return clock }), &clock, a.ID
}

func TestRules(t *testing.T) {
	g, _, ann := open(t, Limits{})
	me := account.Actor{Account: ann}
	other := account.Actor{Account: ann + 1}
	never := trust.Rule{Subject: " Eve@Evil.Test ", Do: trust.Never}
	bank := trust.Rule{Subject: "@bücher.test", Signed: true, Minimum: map[itip.Method]trust.Level{"cancel": trust.T2, "reply": trust.T0}}
	for _, set := range []struct {
		by    account.Actor
		owner store.AccountID
		rule  trust.Rule
	}{{me, ann, never}, {admin, store.Site, bank}} {
		if err := g.SetRule(t.Context(), set.by, set.owner, set.rule); err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []struct {
		by    account.Actor
		owner store.AccountID
		rule  trust.Rule
		want  problem.Condition
	}{
		{other, ann, never, problem.NeedPrivileges},
		{me, store.Site, never, problem.NeedPrivileges},
		{me, ann, trust.Rule{Subject: "not an address", Do: trust.Never}, problem.BadInput},
		{me, ann, trust.Rule{Subject: "one.test", Do: "perhaps"}, problem.BadInput},
		{me, ann, trust.Rule{Unknown: "perhaps"}, problem.BadInput},
		{me, ann, trust.Rule{Minimum: map[itip.Method]trust.Level{"DANCE": trust.T1}}, problem.BadInput},
		{admin, store.Site, trust.Rule{Subject: "one.test", Do: trust.Always}, problem.BadInput},
	} {
		if err := g.SetRule(t.Context(), bad.by, bad.owner, bad.rule); !problem.Has(err, bad.want) {
			t.Errorf("%+v: %v", bad.rule, err)
		}
	}
	if _, err := g.Rules(t.Context(), other, ann); !problem.Has(err, problem.NeedPrivileges) {
		t.Errorf("somebody else reads them: %v", err)
	}
	want := []trust.Rule{
		{Subject: "xn--bcher-kva.test", Signed: true, Minimum: map[itip.Method]trust.Level{itip.Cancel: trust.T2}, Site: true},
		{Subject: "eve@evil.test", Do: trust.Never},
	}
	check := func(want []trust.Rule) {
		t.Helper()
		var got []trust.Rule
		if err := g.store.View(t.Context(), func(tx *store.Tx) (err error) { got, err = Load(tx, ann); return err }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	check(want)
	if err := g.SetRule(t.Context(), me, ann, trust.Rule{Subject: "eve@evil.test"}); err != nil { // says nothing
		t.Fatal(err)
	}
	check(want[:1])
	if err := g.DeleteRule(t.Context(), me, ann, "eve@evil.test"); !problem.Has(err, problem.NotFound) {
		t.Errorf("a rule that is not there: %v", err)
	}
	if err := g.DeleteRule(t.Context(), admin, store.Site, "bücher.test"); err != nil {
		t.Fatal(err)
	}
	check(nil)
}

func TestCount(t *testing.T) {
	g, clock, _ := open(t, Limits{Sender: 3, Domain: 5, Recipient: 4})
	eve := Arrived{Sender: "eve@evil.test", Domain: "evil.test", Recipient: "1", Proven: true, New: true}
	for i := range 3 {
		if x := g.Count(t.Context(), eve); x != nil {
			t.Fatalf("message %d: %+v", i+1, x)
		}
	}
	if x := g.Count(t.Context(), eve); x == nil || *x != (Exceeded{BySender, "eve@evil.test", 4, 3, true}) {
		t.Errorf("%+v", x)
	}
	// Another sender of the domain to the same account: the account has enough.
	if x := g.Count(t.Context(), Arrived{Sender: "ed@evil.test", Domain: "evil.test", Recipient: "1", Proven: true, New: true}); x == nil || x.Kind != ToRecipient {
		t.Errorf("%+v", x)
	}
	if x := g.Count(t.Context(), Arrived{Sender: "ed@evil.test", Domain: "evil.test", Recipient: "2", Proven: true, New: true}); x == nil || x.Kind != ByDomain {
		t.Errorf("%+v", x)
	}
	// Answers are counted by their sender alone.
	for i := range 10 {
		if x := g.Count(t.Context(), Arrived{Sender: fmt.Sprint(i, "@evil.test"), Domain: "evil.test", Recipient: "1"}); x != nil {
			t.Errorf("an answer: %+v", x)
		}
	}
	*clock = start.Add(30 * time.Minute)
	if x := g.Count(t.Context(), eve); x == nil {
		t.Error("half an hour later it is forgotten")
	}
	*clock = start.Add(90 * time.Minute) // half of the hour before counts
	if x := g.Count(t.Context(), eve); x != nil {
		t.Errorf("most of it is more than an hour ago: %+v", x)
	}
	*clock = start.Add(4 * time.Hour)
	for range 3 {
		if x := g.Count(t.Context(), eve); x != nil {
			t.Errorf("hours later: %+v", x)
		}
	}
	*clock = start // a clock that was put back
	if x := g.Count(t.Context(), eve); x != nil {
		t.Errorf("%+v", x)
	}
}

func TestCrowded(t *testing.T) {
	g, _, _ := open(t, Limits{Sender: 2})
	eve := Arrived{Sender: "eve@evil.test"}
	for range DeferAbove * 2 {
		g.Count(t.Context(), eve)
	}
	if g.Crowded(eve) {
		t.Error("crowded at the bound")
	}
	g.Count(t.Context(), eve)
	if !g.Crowded(eve) || g.Crowded(Arrived{Sender: "ann@one.test"}) {
		t.Error("not crowded above it, or for others")
	}
	off, _, _ := open(t, Limits{})
	for range 1000 {
		if off.Count(t.Context(), eve) != nil || off.Crowded(eve) {
			t.Fatal("counted without a limit")
		}
	}
}

// However many senders there are, counting them needs bounded memory.
func TestCountIsBounded(t *testing.T) {
	w := window{most: 1}
	for i := range maxCounted + 10 {
		w.add(fmt.Sprint(i), start, 1)
	}
	if len(w.now) != maxCounted {
		t.Errorf("%d are counted", len(w.now))
	}
}

func TestNote(t *testing.T) {
	g, clock, _ := open(t, Limits{})
	x := Exceeded{Kind: BySender, Subject: "eve@evil.test"}
	note := func() string {
		released, fresh, err := g.Note(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(released, fresh)
	}
	if got := note(); got != "false true" {
		t.Errorf("the first: %s", got)
	}
	*clock = start.Add(time.Hour)
	if got := note(); got != "false false" {
		t.Errorf("an hour later: %s", got)
	}
	list, err := g.Floods(t.Context(), admin, 10)
	if err != nil || len(list) != 1 || list[0].Seen != 2 || !list[0].Began.Equal(start) || !list[0].Last.Equal(*clock) {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := g.Floods(t.Context(), account.Actor{Account: 1}, 10); !problem.Has(err, problem.NeedPrivileges) {
		t.Errorf("anybody sees them: %v", err)
	}
	if err := g.store.Update(t.Context(), func(tx *store.Tx) error { return g.Settle(tx, BySender, "eve@evil.test", Released) }); err != nil {
		t.Fatal(err)
	}
	if got := note(); got != "true false" {
		t.Errorf("released: %s", got)
	}
	*clock = start.Add(26 * time.Hour)
	if got := note(); got != "false true" {
		t.Errorf("a day later: %s", got)
	}
}

// Two processes of one service count together, within seconds, and what is
// started for one mail counts at once.
func TestProcessesCountTogether(t *testing.T) {
	s := storetest.SQLite(t)
	clock := start
	l := Limits{Sender: 6, Recipient: 100}
	eve := Arrived{Sender: "eve@evil.test", Recipient: "1", Proven: true, New: true, Domain: "evil.test"}
	one, two := New(s, l, func() time.Time { return clock }), New(s, l, func() time.Time { return clock })
	for range 3 {
		for _, g := range []*Gate{one, two} {
			if x := g.Count(t.Context(), eve); x != nil {
				t.Fatalf("%+v", x)
			}
			clock = clock.Add(shareEvery)
		}
	}
	if x := one.Count(t.Context(), eve); x == nil || x.Count != 7 {
		t.Errorf("the seventh by two nodes: %+v", x)
	}
	for range 3 { // a pipe starts a program for each mail
		if x := New(s, l, func() time.Time { return clock }).Count(t.Context(), eve); x == nil {
			t.Error("a new process begins to count anew")
		}
	}
	clock = clock.Add(time.Hour)
	if x := New(s, Limits{Sender: 2}, func() time.Time { return clock }).Count(t.Context(), eve); x == nil {
		t.Error("the hour before is forgotten")
	}
	if err := s.Update(t.Context(), func(tx *store.Tx) error { return one.Settle(tx, BySender, eve.Sender, Released) }); err != nil {
		t.Fatal(err)
	}
	if x := New(s, l, func() time.Time { return clock }).Count(t.Context(), eve); x != nil {
		t.Errorf("settled: %+v", x)
	}
}
