package davserver

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// mkcalendar is RFC 4791 5.3.1.
func (q *request) mkcalendar() error {
	if err := q.mayMake(); err != nil {
		return err
	}
	values, err := readXML(q, caldav.ParseMkCalendar)
	if err != nil {
		return err
	}
	return q.make(values, caldav.C("mkcalendar-response"))
}

// mkcol makes a plain collection (RFC 4918 9.3) or, by its resource type, a
// calendar (RFC 5689). Any other type is refused.
func (q *request) mkcol() error {
	if !isXML(q.mediaType()) { // RFC 4918 9.3
		return problem.New(problem.UnsupportedMedia, "The request body is %s; this needs application/xml.", q.mediaType())
	}
	if err := q.mayMake(); err != nil {
		return err
	}
	values, err := readXML(q, caldav.ParseMkCol)
	if err != nil {
		return err
	}
	for _, v := range values {
		if v.Name == caldav.D("resourcetype") && v.Child(caldav.C("calendar")) != nil {
			if v.Child(caldav.D("collection")) == nil {
				return invalidType
			}
			for t := range v.Elements() {
				if t.Name != caldav.D("collection") && t.Name != caldav.C("calendar") {
					return invalidType
				}
			}
			return q.make(values, caldav.D("mkcol-response"))
		}
	}
	return q.makeFolder()
}

// noPlaceForCalendar refuses MKCALENDAR outside of homes (RFC 4791 5.3.1.1).
func (q *request) noPlaceForCalendar() error {
	if _, err := q.findAny(q.at); err == nil || problem.Has(err, problem.NeedPrivileges) {
		return problem.New(problem.ResourceMustBeNull, "There is already something at %s.", q.at.href())
	}
	return problem.New(problem.BadCalendarLocation, "Calendars are made in a home: %s…/", homeHref(q.by.Name))
}

var invalidType = problem.New(problem.InvalidResourceType, "Calendars and plain collections can be made here, and nothing else.")

// mayMake refuses places that cannot hold a calendar, before the body is read.
func (q *request) mayMake() error {
	switch q.at.kind {
	case object: // RFC 4791 4.2: no calendar within a calendar
		if _, err := q.collection(q.at); err != nil {
			return destinationMissing(err, q.at)
		}
		if _, err := q.text(q.at, inOnePiece); err == nil { // RFC 4918 9.3.1
			return problem.New(problem.ResourceMustBeNull, "There is already an event at %s.", q.at.href())
		}
		return problem.New(problem.BadCalendarLocation, "A calendar cannot be made within another one.")
	case beyond:
		return problem.New(problem.ParentMissing, "There is no collection at this address to make a calendar in.")
	}
	owner, err := q.accountID(q.at.account)
	if err != nil {
		return destinationMissing(err, q.at)
	}
	if owner != q.by.Account && !q.acts(owner) {
		return problem.New(problem.NeedPrivileges, "You can make calendars in your own home only.").At(homeHref(q.at.account))
	}
	_, err = q.collection(q.at)
	if err == nil {
		return problem.New(problem.ResourceMustBeNull, "There is already a calendar at %s.", q.at.href())
	}
	if !problem.Has(err, problem.NotFound) {
		return err
	}
	if at, plain := q.plainPlace(q.at); plain {
		return problem.New(problem.ResourceMustBeNull, "There is already a collection at %s.", at.href())
	}
	return nil
}

// make makes a calendar with all of its properties or not at all.
func (q *request) make(values []*caldav.Element, answer caldav.Name) error {
	if _, err := q.checkIf(); err != nil {
		return err
	}
	e := &edit{q: q, making: true, results: make([]error, len(values))}
	for _, v := range values {
		e.steps = append(e.steps, caldav.Instruction{Value: v})
	}
	c := store.Collection{Name: q.at.coll, Kind: store.Calendar, Properties: map[string]string{}}
	e.apply(calendarColl, &c, c.Properties, nil)
	if e.failed() {
		return q.notMade(e, answer)
	}
	owner, err := q.accountID(q.at.account)
	if err != nil {
		return err
	}
	_, err = q.s.calendar.MakeCalendar(q.ctx, calendar.MakeCalendarRequest{By: q.by, Owner: owner, Collection: c})
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Location", q.at.href())
	if q.prefer.minimal { // RFC 8144 2.3
		q.applied("return=minimal")
	}
	h.Set("Content-Length", "0")
	q.w.WriteHeader(http.StatusCreated)
	return nil
}

// notMade tells which properties were in the way: 207 for MKCALENDAR
// (RFC 4791 5.3.1.1), and for MKCOL 424 or the common reason (RFC 5689 5.1).
func (q *request) notMade(e *edit, answer caldav.Name) error {
	var body bytes.Buffer
	status := http.StatusMultiStatus
	if answer == caldav.D("mkcol-response") {
		status = http.StatusForbidden
		caldav.WritePropstats(&body, answer, e.propstats())
	} else {
		m := caldav.NewMultistatus(&body, false)
		m.Response(q.at.href(), e.propstats())
		m.Close("")
	}
	h := q.w.Header()
	h.Set("Content-Type", xmlType)
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	q.w.WriteHeader(status)
	_, err := q.w.Write(body.Bytes())
	return ignoreGone(err)
}

// moveCalendar renames a calendar within its home; its objects, rights and
// properties stay (RFC 4918 9.9). Calendars are not copied.
func (q *request) moveCalendar(from *resource, to place, d depth) error {
	switch {
	case q.r.Method == "COPY":
		return problem.New(problem.Forbidden, "A calendar cannot be copied: the events in it would be there twice. Copy the events.")
	case d != depthInfinity: // RFC 4918 9.9.2
		return problem.New(problem.BadInput, "A calendar is moved with all it holds: Depth must be infinity.")
	case to.kind != calendarColl:
		return problem.New(problem.BadCalendarLocation, "A calendar can be moved to another name in its home only.")
	case to.account != from.owner.Name:
		return problem.New(problem.Forbidden, "A calendar stays in the home of its owner.")
	}
	_, err := q.collection(to)
	if err == nil { // never one calendar in the place of another, whatever Overwrite says
		return problem.New(problem.PreconditionFailed, "There is already a calendar at %s.", to.href())
	}
	if !problem.Has(err, problem.NotFound) {
		return err
	}
	_, err = q.s.calendar.UpdateCollection(q.ctx, q.by, from.owner.ID, from.coll.Name, func(c *store.Collection) error {
		c.Name = to.coll
		return nil
	})
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Location", to.href())
	h.Set("Content-Length", "0")
	q.w.WriteHeader(http.StatusCreated)
	return nil
}
