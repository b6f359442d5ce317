package davserver

import (
	"net/http"
	"strings"

	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
)

// copymove is COPY and MOVE of an object, and MOVE of a calendar to another
// name (RFC 4918 9.8, 9.9).
func (q *request) copymove() error {
	from, err := q.findPlain(q.at)
	if err != nil {
		return err
	}
	dest, to, overwrite, err := q.destination()
	if err != nil {
		return err
	}
	d, err := q.depth(depthInfinity)
	if err != nil {
		return err
	}
	if to.kind == from.kind && to.href() == from.href() { // RFC 4918 9.8.5, 9.9.4
		return problem.New(problem.Forbidden, "Source and destination are the same.")
	}
	cond, err := q.conditions()
	if err != nil {
		return err
	}
	if from.kind == calendarColl {
		return q.moveCalendar(from, to, d)
	}
	if to.kind == message || to.kind == beyond || to.kind&collections != 0 {
		return problem.New(problem.BadCalendarLocation, "An event can be moved or copied to a name in a calendar, not to %s.", to.href())
	}
	if to.kind != object {
		return problem.New(problem.ParentMissing, "There is no calendar at %s.", dest)
	}
	target, err := q.collection(to)
	if err != nil {
		return destinationMissing(err, to)
	}
	req := calendar.MoveRequest{
		By:   q.by,
		From: calendar.Ref{Owner: from.owner.ID, Collection: from.coll.Name, Name: from.name},
		To:   calendar.Ref{Owner: target.Account, Collection: target.Name, Name: to.name},
		If:   cond, Overwrite: overwrite,
	}
	var res calendar.MoveResult
	if q.r.Method == "MOVE" {
		res, err = q.s.calendar.Move(q.ctx, req)
	} else {
		res, err = q.s.calendar.Copy(q.ctx, calendar.CopyRequest(req))
	}
	if err != nil {
		return q.refusedAt(err, target, to)
	}
	if q.r.Method == "MOVE" {
		q.unlockGone(q.at)
	}
	h := q.w.Header()
	if res.ETag != "" {
		h.Set("ETag", res.ETag)
	}
	if res.ScheduleTag != "" { // RFC 6638 3.2.10
		h.Set("Schedule-Tag", res.ScheduleTag)
	}
	if !res.Created {
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	h.Set("Location", to.href())
	h.Set("Content-Length", "0")
	q.w.WriteHeader(http.StatusCreated)
	return nil
}

// refusedAt names the destination where it is what may not be changed: the door
// names places within one home (RFC 3744 7.1.1).
func (q *request) refusedAt(err error, target calendar.CollectionView, to place) error {
	if !problem.Has(err, problem.NeedPrivileges) || target.Access >= acl.Write {
		return err
	}
	if q.r.Method == "MOVE" {
		if c, e := q.collection(q.at); e != nil || c.Access < acl.Write {
			return err // it may not leave where it is
		}
	}
	return problemOf(err).At(collectionHref(to.account, to.coll))
}

// destination is where a COPY or MOVE goes, as written and as a place, and
// whether it may take the place of what is there (RFC 4918 10.3, 10.6).
func (q *request) destination() (dest string, to place, overwrite bool, err error) {
	if dest = q.r.Header.Get("Destination"); dest == "" {
		return "", place{}, false, problem.New(problem.BadInput, "%s needs a Destination header.", q.r.Method)
	}
	if strings.ContainsAny(dest, "?#") { // RFC 4918 8.3; nothing here has a query, and a name that was cut there is another one
		return "", place{}, false, problem.New(problem.BadInput, "The Destination has a query or a fragment; in a name, ? and # are written %%3F and %%23.")
	}
	if to, err = parseHref(dest, q.sameHost); err != nil {
		return "", place{}, false, err
	}
	overwrite, err = q.overwrite()
	return dest, to, overwrite, err
}

// overwrite is the Overwrite header (RFC 4918 10.6).
func (q *request) overwrite() (bool, error) {
	switch v := strings.ToUpper(strings.TrimSpace(q.r.Header.Get("Overwrite"))); v {
	case "", "T":
		return true, nil
	case "F":
		return false, nil
	default:
		return false, problem.New(problem.BadInput, "Overwrite is %q; it must be T or F.", v)
	}
}

func destinationMissing(err error, to place) error {
	if problem.Has(err, problem.NotFound) {
		return problem.New(problem.ParentMissing, "There is no calendar at %s.", collectionHref(to.account, to.coll)).Because(err)
	}
	return err
}
