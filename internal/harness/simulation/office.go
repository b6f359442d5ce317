package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/servicetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/transport/local"
	"github.com/convene-cal/convene/itip"
)

// office is a house that is the real service on a SQLite store in a directory.
// It crashes by going on with a copy of that directory as it was at some moment:
// what the process did afterwards has not happened, and reaches nobody.
type office struct {
	w     *World
	n     int
	root  string // where its directories are
	dir   string // the present one
	lives int
	store *store.Store
	*servicetest.Services
	accounts map[string]store.Account
	fuse     int
	dying    string          // the copy to go on with, "" = alive
	heard    map[string]bool // rows that were looked at
}

// offices makes them under a directory; prepared is one with an empty store.
func offices(root, prepared string) builder {
	return func(w *World, n int) house {
		h := &office{w: w, n: n, root: filepath.Join(root, strconv.FormatUint(w.script.Seed, 10)+"-"+strconv.Itoa(n)), accounts: map[string]store.Account{}, heard: map[string]bool{}}
		h.dir = h.next()
		h.must(os.MkdirAll(h.root, 0o700))
		h.must(os.CopyFS(h.dir, os.DirFS(prepared)))
		h.open()
		h.hire()
		return h
	}
}

// Prepare makes a directory with an empty store, to be copied.
func Prepare(ctx context.Context, dir string) error {
	s, err := store.Open(ctx, store.Options{Dir: dir, Durability: "normal"})
	if err != nil {
		return err
	}
	return s.Close()
}

func (h *office) must(err error) {
	if err != nil {
		h.w.fail("house %d: %v", h.n, err)
	}
}

func (h *office) next() string {
	h.lives++
	return filepath.Join(h.root, strconv.Itoa(h.lives))
}

func (h *office) clock() time.Time { return h.w.now }

func (h *office) open() {
	var err error
	h.store, err = store.Open(context.Background(), store.Options{Dir: h.dir, Durability: "normal", ReadConns: 1, Now: h.clock, PollEvery: time.Hour})
	h.must(err)
	h.Services = servicetest.New(h.store, servicetest.Options{Domain: "h" + strconv.Itoa(h.n) + ".test", Now: h.clock, Journal: func(o *journal.Options) {
		o.Node, o.LocalDeadline, o.Jitter = "node", time.Hour, func() float64 { return 0.5 }
	}})
	h.Journal.Use(colleagues{local.New(local.Options{Calendar: h.Calendar, Accounts: h.Accounts}), h}, h)
}

// hire makes the accounts of who lives here.
func (h *office) hire() {
	ctx := context.Background()
	for _, name := range everybody {
		p := h.w.people[name]
		if p.house != h.n {
			continue
		}
		kind := store.Individual
		if p.room {
			kind = store.Room
		}
		a, err := h.Accounts.Add(ctx, account.NewAccount{Address: p.address(), Kind: kind})
		h.must(err)
		h.must(h.Accounts.SetAddresses(ctx, a.ID, p.addresses))
		h.accounts[name] = a
		h.must(h.Calendar.SetPreferences(ctx, h.actor(p), a.ID, calendar.Preferences{TellBusy: h.w.confidants(p)}))
	}
	if sam, ok := h.accounts["sam"]; ok {
		alice := h.actor(h.w.people["alice"])
		for _, c := range []string{"default", "tasks"} {
			h.must(h.Calendar.SetShares(ctx, alice, alice.Account, c, map[store.AccountID]acl.Access{sam.ID: acl.Write}))
		}
	}
}

func (h *office) actor(p *person) account.Actor { return h.Accounts.ActorOf(h.accounts[p.name]) }

func (h *office) close() {
	if h.store != nil {
		h.store.Close()
	}
	os.RemoveAll(h.root)
}

func (h *office) crash(after int) { h.fuse = after }

// tick is a moment at which the process may die: the store as it is now is what
// the next life begins with. It reports whether the process is dead.
func (h *office) tick() bool {
	if h.dying != "" {
		return true
	}
	if h.fuse == 0 {
		return false
	}
	if h.fuse--; h.fuse > 0 {
		return false
	}
	h.w.say("house %d crashes", h.n)
	h.dying = h.next()
	h.must(os.MkdirAll(h.dying, 0o700))
	list, err := os.ReadDir(h.dir)
	h.must(err)
	for _, f := range list {
		if strings.HasSuffix(f.Name(), "-shm") || f.IsDir() {
			continue // made anew from the log when the store is opened
		}
		data, err := os.ReadFile(filepath.Join(h.dir, f.Name()))
		h.must(err)
		h.must(os.WriteFile(filepath.Join(h.dying, f.Name()), data, 0o600))
	}
	return true
}

func (h *office) recover() {
	if h.dying == "" {
		return
	}
	h.w.say("house %d is up again", h.n)
	h.must(h.store.Close())
	os.RemoveAll(h.dir)
	h.dir, h.dying = h.dying, ""
	h.open()
}

// colleagues is the delivery within the house, which may die before and after.
type colleagues struct {
	*local.Local
	h *office
}

// Send implements [journal.Transport].
func (c colleagues) Send(ctx context.Context, batch []*store.Entry) []journal.Outcome {
	if c.h.tick() {
		return slices.Repeat([]journal.Outcome{{State: journal.Retry}}, len(batch))
	}
	defer c.h.tick()
	return c.Local.Send(ctx, batch)
}

// Name, Accepts and Send make the house the way from it to other houses.
func (h *office) Name() string { return "mail" }

// Accepts implements [journal.Transport].
func (h *office) Accepts(_ context.Context, to ical.Address) bool { return h.w.who(to) != nil }

// Send implements [journal.Transport].
func (h *office) Send(_ context.Context, batch []*store.Entry) []journal.Outcome {
	out := make([]journal.Outcome, len(batch))
	for i, e := range batch {
		out[i] = journal.Outcome{State: journal.Retry}
		if h.tick() {
			continue
		}
		l := h.letter(e)
		if key := strconv.FormatInt(e.ID, 10); !h.heard[key] {
			h.heard[key] = true
			h.w.observe(l, e.Refresh)
		}
		h.w.post(l)
		h.tick()
		out[i] = journal.Outcome{State: journal.Sent}
	}
	return out
}

func (h *office) letter(e *store.Entry) *letter {
	cal, err := ical.Parse(e.Calendar)
	h.must(err)
	return &letter{row: e.ID, from: h.w.who(ical.Address(e.From)), to: h.w.who(ical.Address(e.To)), sender: ical.Address(e.From), rcpt: ical.Address(e.To),
		method: itip.Method(e.Method), uid: e.UID, rid: e.RecurrenceID, cal: cal}
}

func (h *office) fetch(who *person, uid string) copied {
	c, _, _ := h.find(who, uid)
	return c
}

// find reads what somebody has of an event, and where.
func (h *office) find(who *person, uid string) (c copied, ref calendar.Ref, found bool) {
	id := h.accounts[who.name].ID
	err := h.store.View(context.Background(), func(tx *store.Tx) error {
		list, err := tx.ObjectsByUID(id, uid)
		if err != nil {
			return err
		}
		for _, o := range list {
			coll, err := tx.Collection(o.Account, o.Collection)
			if err != nil {
				return err
			}
			if coll.Kind != store.Calendar {
				continue
			}
			body, err := tx.Body(o.Account, o.ID)
			if err != nil {
				return err
			}
			if c.cal, err = ical.Parse(body); err != nil {
				return err
			}
			c.etag, c.tag, found = o.ETag, o.ScheduleTag, true
			ref = calendar.Ref{Owner: id, Collection: coll.Name, Name: o.Name}
			if len(o.Memory) > 0 {
				return json.Unmarshal(o.Memory, &c.memory)
			}
			return nil
		}
		c.deleted, err = tx.DeletedUID(id, uid)
		return err
	})
	h.must(err)
	return c, ref, found
}

// done turns an answer of the service into one of ours.
func (h *office) done(err error) error {
	switch {
	case h.dying != "" || h.tick():
		return errCrashed
	case problem.Has(err, problem.PreconditionFailed), problem.Has(err, problem.NotFound):
		return errStale
	case err != nil && problem.Of(err).Condition == problem.Internal:
		h.must(err)
	}
	return err
}

func (h *office) save(who, by *person, uid string, cal *ical.Calendar, only match) error {
	_, ref, found := h.find(who, uid)
	req := calendar.PutRequest{By: h.actor(by), Ref: ref, Data: cal.Bytes()}
	switch {
	case only.etag == "" && only.tag == "":
		req.If.IfNoneMatch = []string{"*"}
	case only.tag != "":
		req.If.IfScheduleTagMatch = only.tag
	default:
		req.If.IfMatch = []string{only.etag}
	}
	if !found {
		req.Ref = calendar.Ref{Owner: h.accounts[who.name].ID, Collection: "default", Name: uid + ".ics"}
		if cal.Kind() == "VTODO" {
			req.Ref.Collection = "tasks"
		}
	}
	_, err := h.Calendar.Put(context.Background(), req)
	return h.done(err)
}

func (h *office) remove(who *person, uid, etag string, silent bool) error {
	_, ref, found := h.find(who, uid)
	if !found {
		return errStale
	}
	req := calendar.DeleteRequest{By: h.actor(who), Ref: ref, If: calendar.Precondition{IfMatch: []string{etag}}}
	if silent {
		req.Reply = itip.ReplySuppress
	}
	return h.done(h.Calendar.Delete(context.Background(), req))
}

func (h *office) answer(who *person, uid, partstat, occurrence string) error {
	_, err := h.Calendar.Respond(context.Background(), calendar.RespondRequest{By: h.actor(who), Owner: h.accounts[who.name].ID, UID: uid, RecurrenceID: occurrence, PartStat: partstat})
	return h.done(err)
}

func (h *office) publish(who *person, uid string, to *person) error {
	_, err := h.Calendar.Publish(context.Background(), calendar.PublishRequest{By: h.actor(who), Owner: h.accounts[who.name].ID, UID: uid, To: to.addresses[:1]})
	return h.done(err)
}

func (h *office) ask(who, whom *person, from, to time.Time) error {
	_, err := h.Calendar.AskFreeBusy(context.Background(), calendar.AskFreeBusyRequest{By: h.actor(who), Owner: h.accounts[who.name].ID, Who: whom.addresses[:1], From: from, To: to})
	return h.done(err)
}

func (h *office) receive(l *letter) (receipt, bool) {
	if h.tick() {
		return receipt{}, false
	}
	before := h.fetch(l.to, l.uid).cal
	cal, err := ical.Parse(l.cal.Bytes())
	h.must(err)
	got, err := h.Calendar.Receive(context.Background(), calendar.Arrival{To: h.accounts[l.to.name].ID, Recipient: l.rcpt, From: l.sender, Message: cal,
		Method: l.method, Transport: "mail", Received: h.w.now})
	if h.dying != "" || h.tick() {
		return receipt{}, false
	}
	h.must(err)
	if got.Err != nil {
		return receipt{itip.Rejected, string(problem.Of(got.Err).Condition)}, true
	}
	h.w.authority(l, got.Result, before, false)
	return receipt{got.Result.Decision, got.Result.Reason}, true
}

func (h *office) carry() {
	for range 1000 {
		n, err := h.Journal.Step(context.Background())
		if h.dying != "" {
			return
		}
		h.must(err)
		if n == 0 {
			return
		}
	}
	h.w.fail("house %d never stops sending", h.n)
}

func (h *office) pending() bool {
	rows, err := h.Journal.List(context.Background(), store.EntryFilter{Direction: journal.Out, States: []string{journal.Due}, Limit: 1})
	h.must(err)
	return len(rows) > 0
}

// retry: the bounce is noted, and the message sent once more.
func (h *office) retry(l *letter) {
	if l.row == 0 {
		h.w.post(l)
		return
	}
	ctx, id := context.Background(), h.accounts[l.from.name].ID
	h.must(h.Journal.Report(ctx, id, l.row, journal.Outcome{State: journal.Failed, Status: "5.1", Reason: "bounced", Sentence: "It was lost."}))
	if _, err := h.Journal.Retry(ctx, id, l.row); err != nil && !problem.Has(err, problem.BadInput) {
		h.must(err)
	}
}

func (h *office) held(who *person) []heldLetter {
	rows, err := h.Journal.List(context.Background(), store.EntryFilter{Account: h.accounts[who.name].ID, Direction: journal.In, States: []string{calendar.StateHeld}})
	h.must(err)
	slices.Reverse(rows)
	var out []heldLetter
	for _, e := range rows {
		cal, err := ical.Parse(e.Calendar)
		h.must(err)
		out = append(out, heldLetter{id: e.ID, reason: e.Reason, sender: ical.Address(e.From), method: itip.Method(e.Method), cal: cal})
	}
	return out
}

func (h *office) decide(who *person, id int64, approve bool) {
	ctx := context.Background()
	var err error
	if approve {
		var e store.Entry
		if e, err = h.Calendar.Approve(ctx, h.actor(who), h.accounts[who.name].ID, id); err == nil {
			h.w.say("  then it is %s %s", e.State, e.Reason)
		}
	} else {
		_, err = h.Calendar.Reject(ctx, h.actor(who), h.accounts[who.name].ID, id)
	}
	if err != nil && h.dying == "" {
		if problem.Of(err).Condition == problem.Internal {
			h.must(err)
		}
		h.w.say("  it cannot be: %v", err)
		if approve { // so that it is not asked about for ever
			if _, err := h.Calendar.Reject(ctx, h.actor(who), h.accounts[who.name].ID, id); err != nil && !errors.Is(err, context.Canceled) {
				h.w.say("  nor rejected: %v", err)
			}
		}
	}
}
