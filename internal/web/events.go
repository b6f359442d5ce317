package web

import (
	"crypto/rand"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/itip"
)

// place names an object: owner and calendar by their URL segments.
type place struct {
	Owner    string `json:"owner"`
	Calendar string `json:"calendar"`
	Name     string `json:"name"`
}

// eventOnWire is one event, or one occurrence of it, with what one may do.
type eventOnWire struct {
	place
	ETag       string   `json:"etag"`
	UID        string   `json:"uid"`
	Occurrence string   `json:"occurrence"` // as asked for; "" is the whole
	Following  bool     `json:"following"`  // the occurrence and all later ones
	Recurring  bool     `json:"recurring"`
	RuleText   string   `json:"ruleText"`
	Event      fields   `json:"event"`
	Start      string   `json:"start"` // on the reader's clock
	End        string   `json:"end"`
	Organizer  *person  `json:"organizer"`
	Organizing bool     `json:"organizing"` // the calendar's owner organizes it, or nobody does
	PartStat   string   `json:"partstat"`   // of the calendar's owner; "" for who is not invited
	Writable   bool     `json:"writable"`
	Kept       []string `json:"kept"`

	Security *securityOnWire `json:"security"` // of the message it came with; null where none is known
	Held     []messageOnWire `json:"held"`     // messages about it that wait for the reader

	Attachments []attachmentOnWire `json:"attachments"`
}

// edit is what the event form sends.
type edit struct {
	Calendar struct {
		Owner string `json:"owner"`
		Name  string `json:"name"`
	} `json:"calendar"`
	Occurrence string `json:"occurrence"`
	Following  bool   `json:"following"` // the occurrence and all later ones
	Event      fields `json:"event"`
}

// saved is the answer to a saved edit.
type saved struct {
	place
	UID  string `json:"uid"`
	Sent int    `json:"sent"` // messages to people, without silent refreshes of their copies
}

// ref finds the place a request names.
func (a *app) ref(r *request, p place) (calendar.Ref, error) {
	owner, err := a.owner(r, p.Owner)
	return calendar.Ref{Owner: owner, Collection: p.Calendar, Name: p.Name}, err
}

func pathOf(r *request) place {
	return place{Owner: r.PathValue("owner"), Calendar: r.PathValue("calendar"), Name: r.PathValue("name")}
}

func (a *app) getEvent(r *request) (any, error) {
	at := pathOf(r)
	ref, err := a.ref(r, at)
	if err != nil {
		return nil, err
	}
	z, err := a.zone(r, r.URL.Query().Get("zone"))
	if err != nil {
		return nil, err
	}
	o, text, err := a.o.Calendar.Get(r.ctx(), r.who, ref)
	if err != nil {
		return nil, err
	}
	view, err := a.o.Calendar.Collection(r.ctx(), r.who, ref.Owner, ref.Collection)
	if err != nil {
		return nil, err
	}
	e, err := openEvent(text, z)
	if err != nil {
		return nil, problem.New(problem.InvalidCalendarObject, "This event cannot be read. Other calendar programs get it as it is.").Because(err)
	}
	id := r.URL.Query().Get("occurrence")
	occ, ok := e.first()
	if !ok {
		return nil, problem.New(problem.InvalidCalendarObject, "This event takes place at no time: all its occurrences are left out.")
	}
	c := occ.Component
	if id != "" {
		if occ, err = e.find(id); err != nil {
			return nil, err
		}
		c = occ.Component
	} else if m := e.cal.Master(); m != nil {
		c = m
	}
	mine, err := a.o.Accounts.Addresses(r.ctx(), ref.Owner)
	if err != nil {
		return nil, err
	}
	out := eventOnWire{
		place: at, ETag: o.ETag, UID: o.UID, Occurrence: id, Recurring: e.set.Recurring(), RuleText: ruleText(e.cal.Master()),
		Organizing: organizes(c, mine), Writable: view.Access >= acl.Write, Kept: kept(c),
	}
	if out.Event, err = e.fieldsOf(c); err != nil {
		return nil, err
	}
	if id != "" && !occ.Override {
		// The occurrence as the master has it, at its own time.
		out.Event.Start, out.Event.End = onWire(e.wallIn(occ.Start, occ.ID)), onWire(e.wallIn(occ.End, occ.ID))
	}
	if id != "" && r.URL.Query().Get("following") != "" {
		head, tail, err := editor{now: a.now().UTC()}.splitAt(e, id)
		if err != nil {
			return nil, err
		}
		m := e.cal.Master() // nothing comes before: the whole series
		out.Occurrence = ""
		if head != nil {
			m, out.Occurrence, out.Following = tail.cal.Master(), id, true
		}
		if out.Event, err = e.fieldsOf(m); err != nil {
			return nil, err
		}
		c, out.Kept, out.RuleText = m, kept(m), ruleText(m)
	}
	out.Start, out.End, _ = e.span(occ)
	out.Attachments = attachmentsOf(c)
	if org, ok := itip.Organizer(c); ok {
		p := personOf(org)
		out.Organizer = &p
	}
	if me, ok := among(c, mine); ok {
		out.PartStat = me.PartStat
	}
	out.Held = []messageOnWire{}
	if !seesJournal(r, view) {
		return out, nil
	}
	said, err := a.lookInto(r, ref.Owner, o.UID)
	if err != nil {
		return nil, err
	}
	if out.Organizing {
		a.deliveries(r, said.sent, out.Event.Attendees)
	} else {
		out.Security = said.security
	}
	if ref.Owner == r.who.Account { // others cannot decide about them
		for _, id := range said.held[:min(len(said.held), messagesAtOnce)] {
			e, err := a.o.Journal.Show(r.ctx(), ref.Owner, id)
			if problem.Has(err, problem.NotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			out.Held = append(out.Held, messageOf(e, z, a.now()))
		}
	}
	return out, nil
}

// editor is the account in whose name a home is edited: its owner's.
func (a *app) editor(r *request, ref calendar.Ref) (editor, error) {
	owner, err := a.o.Accounts.Account(r.ctx(), ref.Owner)
	if err != nil {
		return editor{}, err
	}
	mine, err := a.o.Accounts.Addresses(r.ctx(), ref.Owner)
	return editor{mine: mine, name: owner.DisplayName, now: a.now().UTC()}, err
}

// introduce fills in the names and kinds of colleagues and rooms who were
// invited by their address alone.
func (a *app) introduce(r *request, list []person) error {
	for i, p := range list {
		if p.Name != "" {
			continue
		}
		acc, ok, err := a.o.Accounts.Lookup(r.ctx(), ical.ParseAddress(p.Address))
		if err != nil {
			return err
		}
		if ok {
			list[i].Name = acc.DisplayName
			if p.Kind == "" {
				list[i].Kind = acc.Kind
			}
		}
	}
	return nil
}

// creation is the request that stores a new event.
func (a *app) creation(r *request, ed edit) (calendar.PutRequest, error) {
	uid := strings.ToLower(rand.Text())
	ref, err := a.ref(r, place{ed.Calendar.Owner, ed.Calendar.Name, uid + ".ics"})
	if err != nil {
		return calendar.PutRequest{}, err
	}
	z, err := a.zone(r, r.URL.Query().Get("zone"))
	if err != nil {
		return calendar.PutRequest{}, err
	}
	who, err := a.editor(r, ref)
	if err != nil {
		return calendar.PutRequest{}, err
	}
	if err := a.introduce(r, ed.Event.Attendees); err != nil {
		return calendar.PutRequest{}, err
	}
	cal, err := who.create(a.o.Calendar.ProdID(), uid, ed.Event, z)
	if err != nil {
		return calendar.PutRequest{}, err
	}
	return calendar.PutRequest{By: r.who, Ref: ref, Data: cal.Bytes(), If: calendar.Precondition{IfNoneMatch: []string{"*"}}}, nil
}

// change is the request that stores an edited event. It goes to the object as
// it is now, and only when that is still what the person saw.
func (a *app) change(r *request, at place, etag string, ed edit) (calendar.PutRequest, error) {
	var req calendar.PutRequest
	e, ref, etag, err := a.current(r, at, etag)
	if err != nil {
		return req, err
	}
	who, err := a.editor(r, ref)
	if err != nil {
		return req, err
	}
	if err := a.introduce(r, ed.Event.Attendees); err != nil {
		return req, err
	}
	if ed.Occurrence != "" {
		err = who.occurrence(e, ed.Occurrence, ed.Event)
	} else {
		err = who.series(e, ed.Event)
	}
	if err != nil {
		return req, err
	}
	return calendar.PutRequest{By: r.who, Ref: ref, Data: e.cal.Bytes(), If: calendar.Precondition{IfMatch: []string{etag}}}, nil
}

// changedMeanwhile is the refusal of an edit whose ground has moved.
func changedMeanwhile() *problem.Problem {
	return problem.New(problem.PreconditionFailed, "This event has changed since you opened it, here or in another program. Nothing was saved.")
}

// current opens an object for a change. Without an etag (a preview) it is the
// object as it is now.
func (a *app) current(r *request, at place, etag string) (*event, calendar.Ref, string, error) {
	ref, err := a.ref(r, at)
	if err != nil {
		return nil, ref, "", err
	}
	o, text, err := a.o.Calendar.Get(r.ctx(), r.who, ref)
	if err != nil {
		return nil, ref, "", err
	}
	if etag != "" && etag != o.ETag {
		return nil, ref, "", changedMeanwhile()
	}
	z, err := a.zone(r, r.URL.Query().Get("zone"))
	if err != nil {
		return nil, ref, "", err
	}
	e, err := openEvent(text, z)
	if err != nil {
		return nil, ref, "", problem.New(problem.InvalidCalendarObject, "This event cannot be read, so it cannot be changed here.").Because(err)
	}
	return e, ref, o.ETag, nil
}

func (a *app) postEvent(r *request) (any, error) {
	var ed edit
	if err := r.read(&ed); err != nil {
		return nil, err
	}
	req, err := a.creation(r, ed)
	if err != nil {
		return nil, err
	}
	res, err := a.o.Calendar.Put(r.ctx(), req)
	if err != nil {
		return nil, err
	}
	return created{saved{place{ed.Calendar.Owner, ed.Calendar.Name, req.Name}, res.Object.UID, told(res.Sent)}}, nil
}

func told(list []calendar.Sent) int {
	n := 0
	for _, s := range list {
		if !s.Refresh {
			n++
		}
	}
	return n
}

// ifMatch is the etag a change must name, so that nobody overwrites what they
// have not seen.
func ifMatch(r *request) (string, error) {
	tag := r.Header.Get("If-Match")
	if tag == "" {
		return "", problem.New(problem.BadInput, "The request must say with If-Match which state of the event it changes.")
	}
	return tag, nil
}

func (a *app) putEvent(r *request) (any, error) {
	var ed edit
	if err := r.read(&ed); err != nil {
		return nil, err
	}
	tag, err := ifMatch(r)
	if err != nil {
		return nil, err
	}
	at := pathOf(r)
	if ed.Following {
		c, err := a.cutting(r, at, tag, ed)
		if err != nil {
			return nil, err
		}
		if c != nil {
			sent, err := a.store(r, c)
			if problem.Has(err, problem.PreconditionFailed) {
				return nil, changedMeanwhile().Because(err)
			}
			return saved{at, "", told(sent)}, err
		}
		ed.Occurrence = ""
	}
	req, err := a.change(r, at, tag, ed)
	if err != nil {
		return nil, err
	}
	res, err := a.o.Calendar.Put(r.ctx(), req)
	if problem.Has(err, problem.PreconditionFailed) {
		return nil, changedMeanwhile().Because(err)
	}
	if err != nil {
		return nil, err
	}
	if ed.Calendar.Name != "" && ed.Occurrence == "" && (ed.Calendar.Owner != at.Owner || ed.Calendar.Name != at.Calendar) {
		to, err := a.ref(r, place{ed.Calendar.Owner, ed.Calendar.Name, at.Name})
		if err != nil {
			return nil, err
		}
		if _, err := a.o.Calendar.Move(r.ctx(), calendar.MoveRequest{By: r.who, From: req.Ref, To: to}); err != nil {
			p := problem.Of(err)
			return nil, problem.New(p.Condition, "The event is saved, but it stays in its calendar: %s", p.Sentence).Because(err)
		}
		at.Owner, at.Calendar = ed.Calendar.Owner, ed.Calendar.Name
	}
	return saved{at, res.Object.UID, told(res.Sent)}, nil
}

// removal is what deleting an event or an occurrence comes to: either a put,
// or, when nothing is left, a deletion.
func (a *app) removal(r *request, at place, etag, occurrence string, following bool) (*calendar.PutRequest, *calendar.DeleteRequest, error) {
	if occurrence != "" {
		e, ref, etag, err := a.current(r, at, etag)
		if err != nil {
			return nil, nil, err
		}
		who, err := a.editor(r, ref)
		if err != nil {
			return nil, nil, err
		}
		left := false
		if following {
			head, _, e2 := who.splitAt(e, occurrence)
			if e, err, left = head, e2, head != nil; err != nil {
				return nil, nil, err
			}
		} else if left, err = who.without(e, occurrence); err != nil {
			return nil, nil, err
		}
		if left {
			return &calendar.PutRequest{By: r.who, Ref: ref, Data: e.cal.Bytes(), If: calendar.Precondition{IfMatch: []string{etag}}}, nil, nil
		}
	}
	ref, err := a.ref(r, at)
	if err != nil {
		return nil, nil, err
	}
	req := &calendar.DeleteRequest{By: r.who, Ref: ref}
	if etag != "" {
		req.If.IfMatch = []string{etag}
	}
	return nil, req, nil
}

func (a *app) deleteEvent(r *request) (any, error) {
	tag, err := ifMatch(r)
	if err != nil {
		return nil, err
	}
	put, del, err := a.removal(r, pathOf(r), tag, r.URL.Query().Get("occurrence"), r.URL.Query().Get("following") != "")
	if err != nil {
		return nil, err
	}
	if put != nil {
		_, err = a.o.Calendar.Put(r.ctx(), *put)
	} else {
		err = a.o.Calendar.Delete(r.ctx(), *del)
	}
	if problem.Has(err, problem.PreconditionFailed) {
		return nil, changedMeanwhile().Because(err)
	}
	return nil, err
}

// getZones lists the names of all time zones.
func (a *app) getZones(*request) (any, error) { return tz.Names(), nil }
