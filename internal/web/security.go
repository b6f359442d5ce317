package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
	"github.com/convene-cal/convene/itip"
)

// securityOnWire is what the browser shows of a message's security: RFC 3283
// 6.4 wants the current security context to be obvious.
type securityOnWire struct {
	Sign     trust.Sign `json:"sign"`
	By       string     `json:"by"`       // who provably sent it; "" where nobody is proven
	Sentence string     `json:"sentence"` // the evidence in words
}

// viaPage is the transport of answers given on an invitation's page.
const viaPage = "page"

// mayAsk are reasons to hold a message that do not concern its sender: what is
// asked there is the matter itself.
var mayAsk = map[string]bool{itip.ReasonCounter: true, calendar.ReasonApproval: true, itip.ReasonPartyCrasher: true}

// securityOf says how far the sender of a received message is known; nil for
// one that was sent.
func securityOf(e store.Entry) *securityOnWire {
	if e.Direction != journal.In {
		return nil
	}
	from := ical.Address(e.From)
	switch e.Transport {
	case journal.Local, "":
		return &securityOnWire{trust.Lock, from.Email(), "Sent within this service, by somebody who signed in."}
	case viaPage:
		var page struct {
			Token bool `json:"token"`
		}
		if _ = json.Unmarshal(e.Evidence, &page); !page.Token {
			return &securityOnWire{trust.Warning, "", fmt.Sprintf("Written on the page of somebody else's invitation. Nothing shows that it was %s.", from.Email())}
		}
		return &securityOnWire{trust.Unsigned, from.Email(), "Not signed. Answered on the page whose address only the invitation to them held."}
	}
	var known struct {
		trust.Evidence
		Acting   string `json:"acting"`
		ReportOn int64  `json:"report-on"`
	}
	_ = json.Unmarshal(e.Evidence, &known) // what cannot be read proves nothing
	if known.ReportOn != 0 && e.Method == "" {
		return &securityOnWire{trust.Unsigned, "", "Not signed. It came to the address that was made for the one message it is about."}
	}
	if known.From == "" {
		known.From = from
	}
	shown := known.Show(ical.Address(known.Acting))
	if e.State == calendar.StateHeld && !mayAsk[e.Reason] {
		shown.Sign = trust.Query
		if e.Sentence != "" {
			shown.Sentence = e.Sentence
		}
	}
	return &securityOnWire{shown.Sign, shown.By.Email(), shown.Sentence}
}

// maxLooked bounds how many messages of one event are looked through.
const maxLooked = 5000

// lookedInto is what the journal knows of one event.
type lookedInto struct {
	security *securityOnWire // of the latest message that the organizer's state came with
	held     []int64         // messages about it that wait for the person
	sent     []store.Entry   // newest first, without what only refreshed a copy
}

// lookInto reads what the journal of a home says about an event.
func (a *app) lookInto(r *request, owner store.AccountID, uid string) (lookedInto, error) {
	var out lookedInto
	list, err := a.o.Journal.List(r.ctx(), store.EntryFilter{Account: owner, UID: uid, Limit: maxLooked, Bare: true})
	for _, e := range list {
		switch {
		case e.Direction == journal.Out && !e.Refresh:
			out.sent = append(out.sent, e)
		case e.Direction != journal.In:
		case e.State == calendar.StateHeld:
			out.held = append(out.held, e.ID)
		case out.security == nil && ofOrganizer[itip.Method(e.Method)] && (e.State == string(itip.Applied) || e.State == string(itip.Unchanged)):
			out.security = securityOf(e)
		}
	}
	return out, err
}

// ofOrganizer are the methods by which an organizer tells the state of an
// event (RFC 5546 1.4).
var ofOrganizer = map[itip.Method]bool{itip.Request: true, itip.Publish: true, itip.Add: true, itip.Cancel: true}

// seesJournal: the journal of a home is its owner's, and theirs who act for them.
func seesJournal(r *request, view calendar.CollectionView) bool {
	return view.Account == r.who.Account || view.Access >= acl.Act
}

// deliveryOnWire is how far the latest message to an attendee came.
type deliveryOnWire struct {
	ID       int64  `json:"id"`    // of the message
	State    string `json:"state"` // queued, retrying, sent, delivered, bounced, opened, answered
	Sentence string `json:"sentence"`
	Time     string `json:"time"`
	Next     string `json:"next"` // when it is tried again
	Page     string `json:"page"` // the address at which the attendee can answer without a calendar
	CanRetry bool   `json:"canRetry"`
}

// deliveries finds, for each attendee, the latest message to them.
func (a *app) deliveries(r *request, sent []store.Entry, list []person) {
	latest, page, opened := map[string]store.Entry{}, map[string]string{}, map[string]time.Time{}
	for _, e := range sent {
		key := ical.Address(e.To).Key()
		if _, ok := latest[key]; !ok && e.State != journal.Superseded && ofOrganizer[itip.Method(e.Method)] {
			latest[key] = e
		}
		token, at := journal.PageOf(e)
		if token != "" && page[key] == "" {
			page[key] = a.base(r.Request) + "/rsvp/" + token
		}
		if at.After(opened[key]) {
			opened[key] = at
		}
	}
	for i := range list {
		key := ical.ParseAddress(list[i].Address).Key()
		e, ok := latest[key]
		if !ok {
			continue
		}
		d := deliveryOnWire{ID: e.ID, Sentence: e.Sentence, Time: instant(e.Updated), Page: page[key], CanRetry: canRetry(e)}
		answered := list[i].PartStat != "" && !strings.EqualFold(list[i].PartStat, "NEEDS-ACTION")
		switch {
		case e.State == journal.Failed:
			d.State = "bounced"
		case e.State == journal.Due && len(e.Attempts) > 0:
			d.State, d.Next = "retrying", instant(e.NextAttempt)
			if last := e.Attempts[len(e.Attempts)-1].Sentence; last != "" {
				d.Sentence = last
			}
		case e.State == journal.Due:
			d.State, d.Next = "queued", instant(e.NextAttempt)
		case answered:
			d.State = "answered"
		case !opened[key].IsZero():
			d.State, d.Time = "opened", instant(opened[key])
		case e.State == journal.Delivered:
			d.State = "delivered"
		default:
			d.State = "sent"
		}
		list[i].Delivery = &d
	}
}

// canRetry: what failed, or waits after a failed attempt, can be sent at once.
func canRetry(e store.Entry) bool {
	return e.Direction == journal.Out && (e.State == journal.Failed || e.State == journal.Due && len(e.Attempts) > 0)
}
