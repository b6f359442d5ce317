package davserver

import (
	"crypto/rand"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/itip"
)

// put stores a calendar object resource (RFC 4791 5.3.2).
func (q *request) put() error {
	switch q.at.kind {
	case message: // RFC 6638 2.2: only the server fills the inbox
		return problem.New(problem.NeedPrivileges, "Only the server puts messages into the inbox.").At(collectionHref(q.at.account, q.at.coll))
	case beyond:
		return problem.New(problem.ParentMissing, "There is no collection at this address to put an object into.")
	}
	owner, coll, err := q.target(q.at)
	if problem.Has(err, problem.NotFound) {
		return problem.New(problem.ParentMissing, "There is no calendar at %s.", collectionHref(q.at.account, q.at.coll))
	}
	if err != nil {
		return err
	}
	ref := calendar.Ref{Owner: owner, Collection: coll, Name: q.at.name}
	cond, err := q.conditions()
	if err == nil && q.asksFirst() {
		err = q.s.calendar.CheckPut(q.ctx, q.by, ref, cond)
	}
	if err != nil {
		return q.putRefused(err)
	}
	data, err := q.calendarBody()
	if err != nil {
		return err
	}
	data = q.withMailto(data)
	if err := q.s.calendar.CheckManaged(q.ctx, data, q.base()+attachmentPath); err != nil {
		return err
	}
	res, err := q.s.calendar.Put(q.ctx, calendar.PutRequest{
		By:          q.by,
		Ref:         ref,
		Data:        data,
		If:          cond,
		Reply:       q.replyPolicy(),
		ContentType: q.storedType(),
	})
	if err != nil {
		return q.putRefused(err)
	}
	return q.stored(res)
}

func (q *request) putRefused(err error) error {
	if problem.Has(err, problem.NotFound) { // the calendar; the object may well be absent
		return problem.New(problem.ParentMissing, "There is no calendar at %s.", collectionHref(q.at.account, q.at.coll)).Because(err)
	}
	return q.withRepresentation(err)
}

// asksFirst reports whether the client sends the body only once it is asked to: who
// could not store it anyhow is spared the trouble (RFC 9110 10.1.1, 13.2.1).
func (q *request) asksFirst() bool {
	return strings.EqualFold(q.r.Header.Get("Expect"), "100-continue")
}

// stored words the answer to a PUT or an add-member POST.
func (q *request) stored(res calendar.PutResult) error {
	status := http.StatusNoContent
	if res.Created {
		status = http.StatusCreated
	}
	if q.prefer.representation { // RFC 8144 3
		r, err := q.text(q.at, math.MaxInt)
		if err == nil {
			q.applied("return=representation")
			q.w.Header().Set("Content-Location", r.href())
			if status == http.StatusNoContent {
				status = http.StatusOK
			}
			return q.sendObject(r, status)
		}
	}
	h := q.w.Header()
	// RFC 4791 5.3.4: an ETag says that what is stored is what was sent.
	if res.ETag != "" && !res.Rewritten && !q.converted {
		h.Set("ETag", res.ETag)
	}
	if res.ScheduleTag != "" { // RFC 6638 3.2.10
		h.Set("Schedule-Tag", res.ScheduleTag)
	}
	if q.prefer.minimal {
		q.applied("return=minimal")
	}
	if status == http.StatusCreated {
		h.Set("Content-Length", "0")
	}
	q.w.WriteHeader(status)
	return nil
}

func (q *request) sendObject(r *resource, status int) error {
	if r.body == nil { // it was left in the store
		whole, err := q.text(r.place, math.MaxInt)
		if err != nil {
			return err
		}
		r = whole
	}
	q.objectHeaders(r)
	q.w.Header().Set("Content-Length", strconv.Itoa(len(r.body)))
	q.w.WriteHeader(status)
	_, err := q.w.Write(r.body)
	return ignoreGone(err)
}

// withRepresentation answers 412 with what is there now, for a client that
// asked for it (RFC 8144 3.2).
func (q *request) withRepresentation(err error) error {
	if !q.prefer.representation || !problem.Has(err, problem.PreconditionFailed) {
		return err
	}
	r, notThere := q.findPlain(q.at)
	if notThere != nil || r.kind != object {
		return err
	}
	q.applied("return=representation")
	q.w.Header().Set("Content-Location", r.href())
	return q.sendObject(r, http.StatusPreconditionFailed)
}

// storedType is the media type of what goes to the door.
func (q *request) storedType() string {
	if q.converted {
		return "text/calendar"
	}
	return q.mediaType()
}

// replyPolicy is the Schedule-Reply header (RFC 6638 8.1).
func (q *request) replyPolicy() itip.ReplyPolicy {
	switch strings.ToUpper(strings.TrimSpace(q.r.Header.Get("Schedule-Reply"))) {
	case "F":
		return itip.ReplySuppress
	case "T":
		return itip.ReplySend
	}
	return itip.ReplyDefault
}

// calendarBody reads calendar data: text/calendar, with whatever parameters,
// in UTF-8 in the end.
func (q *request) calendarBody() ([]byte, error) {
	if err := q.notEncoded(); err != nil {
		return nil, err
	}
	if q.r.Header.Get("Content-Range") != "" {
		return nil, problem.New(problem.BadInput, "An object cannot be stored in parts.") // RFC 9110 14.5
	}
	charset := ""
	if ct := q.r.Header.Get("Content-Type"); ct != "" {
		t, params, err := mime.ParseMediaType(ct)
		if err != nil { // parameters that cannot be read say nothing
			t = q.mediaType()
		}
		if as := syntaxOf(t); as != nil {
			data, err := q.readBody(q.s.calendar.Limits().ResourceSize, problem.TooLarge)
			if err != nil {
				return nil, err
			}
			q.converted = true
			return as.toICalendar(data)
		}
		if t != "text/calendar" {
			// RFC 4791 5.3.2.1
			return nil, problem.New(problem.UnsupportedCalendarData, "Calendars hold text/calendar, not %s.", t)
		}
		if v := params["version"]; v != "" && v != "2.0" {
			return nil, problem.New(problem.UnsupportedCalendarData, "Calendars hold iCalendar version 2.0, not %s.", v)
		}
		charset = strings.ToLower(params["charset"])
	}
	data, err := q.readBody(q.s.calendar.Limits().ResourceSize, problem.TooLarge)
	if err != nil {
		return nil, err
	}
	switch charset {
	case "", "utf-8", "utf8", "us-ascii":
	case "iso-8859-1", "latin1":
		q.converted = true // what is stored has other octets
		return latin1(data), nil
	default:
		// RFC 9110 15.5.16
		return nil, problem.New(problem.UnsupportedMedia, "The calendar data is in the character set %q; send UTF-8.", charset)
	}
	return data, nil
}

func latin1(data []byte) []byte {
	out := make([]byte, 0, len(data)+len(data)/8)
	for _, c := range data {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

// post is add-member on calendars (RFC 5995) and free/busy on the outbox.
func (q *request) post() error {
	if q.at.kind == object {
		return q.postAttachment()
	}
	if isXML(q.mediaType()) && q.mediaType() != "" {
		return q.postXML()
	}
	switch q.at.kind {
	case outbox:
		return q.postOutbox()
	case home:
		return problem.New(problem.UnsupportedMedia, "A home takes answers to invitations (application/xml), and nothing else.")
	case inbox: // RFC 6638 2.2: only the server fills it
		return problem.New(problem.NeedPrivileges, "Only the server puts messages into the inbox.").At(collectionHref(q.at.account, q.at.coll))
	}
	r, err := q.find(q.at)
	if err != nil {
		return err
	}
	data, err := q.calendarBody()
	if err != nil {
		return err
	}
	data = q.withMailto(data)
	q.at.kind, q.at.name = object, strings.ToLower(rand.Text())+".ics"
	res, err := q.s.calendar.Put(q.ctx, calendar.PutRequest{
		By:          q.by,
		Ref:         calendar.Ref{Owner: r.owner.ID, Collection: r.coll.Name, Name: q.at.name},
		Data:        data,
		If:          calendar.Precondition{IfNoneMatch: []string{"*"}},
		Reply:       q.replyPolicy(),
		ContentType: q.storedType(),
	})
	if err != nil {
		return err
	}
	q.w.Header().Set("Location", q.at.href())
	return q.stored(res)
}
