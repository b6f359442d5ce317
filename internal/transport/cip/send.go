package cip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

const (
	// batchTime bounds one batch, below the journal's lease of ten minutes.
	batchTime = 8 * time.Minute
	// atOnce servers of a batch are talked to at the same time.
	atOnce = 8
)

// Send implements [journal.Transport]. The rows of one event for one server are
// one command, and all commands to a server share a connection.
func (c *CIP) Send(ctx context.Context, batch []*store.Entry) []journal.Outcome {
	outcomes := make([]journal.Outcome, len(batch))
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	for i, e := range batch {
		outcomes[i] = c.sendable(e)
	}
	labels, err := c.number(ctx, batch, outcomes)
	if err != nil {
		for i := range outcomes {
			if outcomes[i].State == "" {
				outcomes[i] = journal.Outcome{State: journal.Retry, Status: "1.0", Reason: "store", Sentence: "The message could not be prepared for sending.", After: time.Second}
			}
		}
		if ctx.Err() == nil {
			c.log.Error("messages are not numbered; they will be tried again", "error", err)
		}
		return outcomes
	}
	var servers []string
	parcels := map[string][]*parcel{}
	for i, e := range batch {
		if outcomes[i].State != "" {
			continue
		}
		server := cip.ServerOf(recipient(e, labels[i]))
		list := parcels[server]
		if list == nil {
			servers = append(servers, server)
		}
		if n := len(list); n > 0 && list[n-1].takes(e, labels[i]) {
			list[n-1].add(i, e)
			continue
		}
		p := &parcel{label: labels[i]}
		p.add(i, e)
		parcels[server] = append(list, p)
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, server := range servers {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			c.deliver(ctx, server, parcels[server], outcomes)
		})
	}
	wg.Wait()
	return outcomes
}

// sendable says what cannot go by CIP (docs/cip.md): the zero outcome else.
func (c *CIP) sendable(e *store.Entry) journal.Outcome {
	pass := func(status, reason, format string, args ...any) journal.Outcome {
		return journal.Outcome{State: journal.Pass, Status: status, Reason: reason, Sentence: fmt.Sprintf(format, args...)}
	}
	switch itip.Method(e.Method) {
	case itip.Request, itip.Cancel:
		if l := labelOf(e); l != nil && len(l.Trace) > 0 {
			break // for a group: whoever the owner is
		}
		owner, ok := cip.UserID(ical.Address(e.From))
		if !ok || !c.ours(cip.ServerOf(owner)) {
			// Answers go to the owner's server, and only that may send the event.
			return pass("5.3", "owner", "%s is not of a domain of this server, so that the event cannot go by CIP in that name.", e.From)
		}
	case itip.Reply:
	default:
		return pass("5.3", "method", "CIP has no word for %s.", e.Method)
	}
	if id, ok := cip.UserID(ical.Address(e.To)); !ok || cip.ServerOf(id) == "" {
		return pass("3.7", "address", "%s cannot be written in CIP.", e.To)
	}
	return journal.Outcome{}
}

// recipient is the user id that a row goes to.
func recipient(e *store.Entry, l *label) string {
	if l.MovedTo != "" {
		return l.MovedTo
	}
	id, _ := cip.UserID(ical.Address(e.To))
	return id
}

// parcel is one command: a message for one or several users of one server.
type parcel struct {
	label   *label
	entries []*store.Entry
	index   []int // of entries in the batch
}

func (p *parcel) add(i int, e *store.Entry) {
	p.entries, p.index = append(p.entries, e), append(p.index, i)
}

func (p *parcel) takes(e *store.Entry, l *label) bool {
	f := p.entries[0]
	return itip.Method(e.Method) != itip.Reply && e.Account == f.Account && e.UID == f.UID && e.Method == f.Method &&
		l.Version == p.label.Version && l.MovedTo == "" && p.label.MovedTo == "" && l.Replaces == p.label.Replaces && bytes.Equal(e.Calendar, f.Calendar)
}

// deliver sends the parcels for one server.
func (c *CIP) deliver(ctx context.Context, server string, parcels []*parcel, outcomes []journal.Outcome) {
	var l *link
	defer func() {
		if l != nil {
			c.pool.put(l)
		}
	}()
	var broken error // of the last attempt to connect
	for _, p := range parcels {
		var answer cip.Reply
		err := broken
		if err == nil {
			l, answer, err = c.command(ctx, l, server, p)
		}
		if err != nil && ctx.Err() == nil && l == nil && !errors.As(err, new(*unwritten)) {
			broken = err // a server that is down is not asked again for each message
		}
		for k, i := range p.index {
			e := p.entries[k]
			switch {
			case ctx.Err() != nil && err != nil:
				outcomes[i] = journal.Outcome{State: journal.Retry, Status: "1.0", Reason: "stopped", Sentence: "Sending was interrupted; the message waits.", After: time.Second}
			case err != nil:
				outcomes[i] = c.trouble(server, e, err)
			default:
				outcomes[i] = c.settled(ctx, server, e, p, answer)
			}
		}
	}
}

// unwritten is the error of a message that the peer's form cannot say.
type unwritten struct{ err error }

func (u *unwritten) Error() string { return u.err.Error() }
func (u *unwritten) Unwrap() error { return u.err }

// command sends a parcel over the connection there is, or a new one. A
// connection that was kept may have been closed meanwhile: then once more. The
// link is nil when it cannot be used any more.
func (c *CIP) command(ctx context.Context, l *link, server string, p *parcel) (*link, cip.Reply, error) {
	verb, bodies, err := c.compose(server, p)
	if err != nil {
		return l, cip.Reply{}, &unwritten{err}
	}
	for {
		if l == nil {
			if l, err = c.connect(ctx, server); err != nil {
				return nil, cip.Reply{}, err
			}
		}
		kept := l.used
		l.used = false
		var answer cip.Reply
		for _, body := range bodies {
			answer, err = l.do(ctx, commandTime, func() (cip.Reply, error) { return l.Command(verb, body) })
			if err != nil {
				break
			}
		}
		if err == nil {
			return l, answer, nil
		}
		l.conn.Close()
		l = nil
		if !kept || ctx.Err() != nil {
			return nil, answer, err
		}
	}
}

// compose writes the bodies of a parcel: one, or two where an event's versions
// are used up and it goes on under another id.
func (c *CIP) compose(server string, p *parcel) (verb string, bodies [][]byte, err error) {
	e, l := p.entries[0], p.label
	cal, err := ical.Parse(e.Calendar)
	if err != nil {
		return "", nil, err
	}
	form := c.peer(server).Body
	if itip.Method(e.Method) == itip.Reply {
		body, err := c.answer(e, l, cal).Encode(form)
		return "RSVP", [][]byte{body}, err
	}
	if l.MovedTo != "" {
		rename(cal, ical.Address(e.To), l.MovedTo)
	}
	event := cip.Event{ID: l.EventID, Version: l.Version, Cancelled: itip.Method(e.Method) == itip.Cancel, Calendar: cal, Trace: l.Trace}
	if l.Replaces != "" {
		end := event
		end.ID, end.Version, end.Cancelled = l.Replaces, cip.MaxVersion, true
		end.Calendar = cal.Clone()
		end.Calendar.Set("METHOD", string(itip.Cancel))
		body, err := end.Encode(form)
		if err != nil {
			return "", nil, err
		}
		bodies = append(bodies, body)
	}
	body, err := event.Encode(form)
	return "SENDEVENT", append(bodies, body), err
}

// rename gives an attendee another address.
func rename(cal *ical.Calendar, from ical.Address, to string) {
	for _, comp := range cal.Main() {
		for p := range comp.Props("ATTENDEE") {
			if p.Address().Equal(from) {
				p.SetAddress(ical.ParseAddress(to))
			}
		}
	}
}

func (c *CIP) answer(e *store.Entry, l *label, cal *ical.Calendar) *cip.Answer {
	a := &cip.Answer{ID: l.EventID, Version: l.Version, Response: l.Response, Calendar: cal}
	a.Attendee.Address = ical.Address(e.From)
	a.Attendee.ID, _ = cip.UserID(a.Attendee.Address)
	for _, comp := range cal.Main() {
		a.ToDo = comp.Name == "VTODO"
		for _, w := range itip.Attendees(comp) {
			if w.Address.Equal(a.Attendee.Address) || a.PartStat == "" {
				a.PartStat, a.Attendee.Name = w.PartStat, w.CN
			}
		}
		a.Comment = comp.Text("COMMENT")
	}
	return a
}

// trouble words an attempt that did not come to an answer.
func (c *CIP) trouble(server string, e *store.Entry, err error) journal.Outcome {
	switch {
	case errors.As(err, new(*unwritten)):
		if errors.Is(err, cip.ErrForm) {
			return journal.Outcome{State: journal.Pass, Status: "5.3", Reason: "form", Sentence: "Changed occurrences cannot be written in the form that the CIP server of " + server + " takes."}
		}
		return journal.Outcome{State: journal.Pass, Status: "5.1", Reason: "compose", Sentence: "The message cannot be written for CIP: " + oneLine(err.Error())}
	case errors.Is(err, errNoService), errors.Is(err, cip.ErrVersion):
		c.absent.add(server, absentFor)
		return journal.Outcome{State: journal.Pass, Status: "5.2", Reason: "no-cip", Sentence: "Not by CIP: " + oneLine(err.Error()) + "."}
	}
	return c.again(e, "unreachable", 0, "The CIP server of %s could not be used: %s.", server, oneLine(err.Error()))
}

// again tries later, or passes the message on when that was often or long
// enough. Where no other transport can take it the journal makes it wait.
func (c *CIP) again(e *store.Entry, reason string, after time.Duration, format string, args ...any) journal.Outcome {
	failed, since := 1, e.Created
	for _, a := range e.Attempts {
		switch a.Transport {
		case Name:
			failed++
		case "": // a person asked for it to be sent again
			failed, since = 1, a.Time
		}
	}
	o := journal.Outcome{State: journal.Retry, Status: "1.0", Reason: reason, Sentence: fmt.Sprintf(format, args...), After: after}
	left := c.o.FallbackAfter - c.now().Sub(since)
	if failed >= failuresBeforeFallback || left <= 0 {
		o.State = journal.Pass
		return o
	}
	if pause := time.Minute << (failed - 1); after == 0 && left < pause {
		o.After = left
	}
	return o
}

// settled words the peer's answer for one recipient (docs/cip.md, "Outcome").
func (c *CIP) settled(ctx context.Context, server string, e *store.Entry, p *parcel, r cip.Reply) journal.Outcome {
	if itip.Method(e.Method) == itip.Reply {
		return c.settledAnswer(ctx, server, e, p, r)
	}
	id := recipient(e, p.label)
	i := slices.IndexFunc(r.Infos, func(i cip.Info) bool { return strings.EqualFold(i.ID, id) })
	failed := func(status, reason, format string, args ...any) journal.Outcome {
		return journal.Outcome{State: journal.Failed, Status: status, Reason: reason, Sentence: fmt.Sprintf(format, args...)}
	}
	if i >= 0 {
		switch info := r.Infos[i]; info.Code {
		case cip.Tentative, cip.Confirmed:
			if r.OK {
				return journal.Outcome{State: journal.Delivered, Status: "1.2", Sentence: "Delivered by CIP to the server of " + server + "."}
			}
		case cip.NotFound:
			return failed("3.7", "no-such-user", "The CIP server of %s does not know %s.", server, id)
		case cip.PermDenied:
			if len(p.label.Trace) > 0 {
				return journal.Outcome{State: journal.Pass, Status: "3.8", Reason: "refused", Sentence: fmt.Sprintf("The CIP server of %s takes no events of others from here.", server)}
			}
			return failed("3.8", "refused", "The CIP server of %s does not take this message for %s.", server, id)
		case cip.Redirect:
			return c.follow(ctx, e, p.label, id, info.New)
		}
	}
	switch {
	case r.OK:
		return journal.Outcome{State: journal.Delivered, Status: "1.2", Sentence: "Delivered by CIP to the server of " + server + "."}
	case r.Code == cip.CodeInvalid:
		o := failed("5.3", "not-understood", "The CIP server of %s does not understand the message: %s", server, saying(r))
		o.State = journal.Pass // another way may be understood
		return o
	case r.Code == cip.CodeAccess:
		return failed("3.8", "refused", "The CIP server of %s does not take this message: %s", server, saying(r))
	}
	return failed("5.1", "refused", "The CIP server of %s refused the message: %s", server, saying(r))
}

func saying(r cip.Reply) string {
	if r.Text == "" {
		return fmt.Sprintf("code %03d.", r.Code)
	}
	return fmt.Sprintf("%s (code %03d)", oneLine(r.Text), r.Code)
}

// maxRedirects is how many moves of one user are followed.
const maxRedirects = 3

// follow sends an event to where its recipient moved, and remembers that if it
// was right. It is remembered before, since whoever gets the event may answer
// under the new address before their server has said that it took it.
func (c *CIP) follow(ctx context.Context, e *store.Entry, l *label, old, to string) journal.Outcome {
	tried := []string{strings.ToLower(old)}
	first := to
	for range maxRedirects {
		to = strings.ToLower(to)
		address, ok := cip.ParseUserID(to)
		server := cip.ServerOf(to)
		if !ok || slices.Contains(tried, to) || c.ours(server) {
			break
		}
		tried = append(tried, to)
		forget := c.remember(ctx, e, address)
		moved := *l
		moved.MovedTo = to
		p := &parcel{label: &moved}
		p.add(0, e)
		link, r, err := c.command(ctx, nil, server, p)
		if link != nil {
			c.pool.put(link)
		}
		if err != nil {
			forget()
			return c.trouble(server, e, err)
		}
		i := slices.IndexFunc(r.Infos, func(i cip.Info) bool { return i.Code == cip.Redirect && strings.EqualFold(i.ID, to) })
		if i < 0 {
			o := c.settled(ctx, server, e, p, r)
			if o.State == journal.Delivered {
				o.Sentence = fmt.Sprintf("%s is now %s. %s", e.To, to, o.Sentence)
			} else {
				forget()
			}
			return o
		}
		forget()
		to = r.Infos[i].New
	}
	return journal.Outcome{State: journal.Failed, Status: "3.7", Reason: "moved", Sentence: fmt.Sprintf("%s is said to be %s now, and that led nowhere.", old, first)}
}

// remember writes down where the recipient of e moved; forget brings back what
// was written before.
func (c *CIP) remember(ctx context.Context, e *store.Entry, to ical.Address) (forget func()) {
	key := ical.Address(e.To).Key()
	var before *store.CIPMoved
	c.note(ctx, e, to, func(tx *store.Tx) error {
		before = nil
		if m, err := tx.CIPMovedTo(e.Account, key); err == nil {
			before = &m
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return tx.SetCIPMoved(store.CIPMoved{Account: e.Account, OldKey: key, NewKey: to.Key(), NewURI: string(to), Created: c.now()})
	})
	return func() {
		c.note(context.WithoutCancel(ctx), e, to, func(tx *store.Tx) error {
			if before != nil {
				return tx.SetCIPMoved(*before)
			}
			return tx.ForgetCIPMoved(e.Account, key)
		})
	}
}

func (c *CIP) note(ctx context.Context, e *store.Entry, to ical.Address, do func(*store.Tx) error) {
	if err := c.o.Store.Update(ctx, do); err != nil {
		c.log.Warn("it is not remembered where a calendar user moved", "from", e.To, "to", to, "error", err)
	}
}

// settledAnswer words what the owner's server said to an answer.
func (c *CIP) settledAnswer(ctx context.Context, server string, e *store.Entry, p *parcel, r cip.Reply) journal.Outcome {
	for range maxRedirects {
		i := slices.IndexFunc(r.Infos, func(i cip.Info) bool { return i.Code == cip.Redirect && i.Kind == cip.RedirectEvent })
		if i < 0 || r.OK || !cip.ValidEventID(r.Infos[i].New) || r.Infos[i].New == p.label.EventID {
			break
		}
		moved := *p.label
		moved.EventID, moved.Version = r.Infos[i].New, 0
		p = &parcel{label: &moved, entries: p.entries, index: p.index}
		link, again, err := c.command(ctx, nil, server, p)
		if link != nil {
			c.pool.put(link)
		}
		if err != nil {
			return c.trouble(server, e, err)
		}
		r = again
	}
	switch {
	case r.OK:
		return journal.Outcome{State: journal.Delivered, Status: "1.2", Sentence: "Delivered by CIP to the server of " + server + "."}
	case r.Code == cip.CodePartial:
		// The event is being sent anew; the answer to that version follows.
		return c.again(e, "event-changed", 5*time.Second, "The event has changed; its new version is on the way: %s", saying(r))
	case slices.ContainsFunc(r.Infos, func(i cip.Info) bool { return i.Code == cip.NotFound }):
		return journal.Outcome{State: journal.Pass, Status: "5.1", Reason: "no-such-event", Sentence: "The CIP server of " + server + " does not know the event."}
	case r.Code == cip.CodeInvalid:
		return journal.Outcome{State: journal.Pass, Status: "5.3", Reason: "not-understood", Sentence: fmt.Sprintf("The CIP server of %s does not understand the answer: %s", server, saying(r))}
	case r.Code == cip.CodeAccess:
		return journal.Outcome{State: journal.Failed, Status: "3.8", Reason: "refused", Sentence: fmt.Sprintf("The CIP server of %s does not take the answer from here: %s", server, saying(r))}
	}
	return journal.Outcome{State: journal.Failed, Status: "5.1", Reason: "refused", Sentence: fmt.Sprintf("The CIP server of %s refused the answer: %s", server, saying(r))}
}

// oneLine is an error's text for a sentence.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return strings.TrimSuffix(s, ".")
}
