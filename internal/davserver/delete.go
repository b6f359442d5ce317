package davserver

import (
	"net/http"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
)

// delete removes an object, a message of the inbox, or a calendar with all it
// holds (RFC 4918 9.6, RFC 6638 3.2.1.3).
func (q *request) delete() error {
	r, err := q.findPlain(q.at)
	if err != nil {
		return err
	}
	if r.kind == notice {
		if err := q.s.calendar.DeleteNotification(q.ctx, q.by, r.place.name); err != nil {
			return err
		}
		return q.nothing(http.StatusNoContent)
	}
	d, err := q.depth(depthInfinity)
	if err != nil {
		return err
	}
	cond, err := q.conditions()
	if err != nil {
		return err
	}
	if owner, id, mounted := calendar.ParseMountName(r.place.coll); mounted && r.kind == calendarColl && owner != q.by.Account {
		// What others share is taken off one's list; that is all (CalendarServer sharing 5.4.2).
		if err := q.s.calendar.AnswerShare(q.ctx, q.by, owner, id, false); err != nil {
			return err
		}
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if r.kind == calendarColl {
		if d != depthInfinity { // RFC 4918 9.6.1
			return problem.New(problem.BadInput, "A calendar is deleted with all it holds: Depth must be infinity.")
		}
		if m := cond.IfMatch; m != nil && m[0] != "*" && m[0] != `"`+r.ctag()+`"` {
			return problem.New(problem.PreconditionFailed, "The calendar was changed meanwhile (If-Match).")
		}
		err = q.s.calendar.DeleteCollection(q.ctx, calendar.DeleteCollectionRequest{By: q.by, Owner: r.owner.ID, Collection: r.coll.Name, Reply: q.replyPolicy()})
	} else {
		err = q.s.calendar.Delete(q.ctx, calendar.DeleteRequest{
			By: q.by, Ref: calendar.Ref{Owner: r.owner.ID, Collection: r.coll.Name, Name: r.name}, If: cond, Reply: q.replyPolicy(),
		})
	}
	if err != nil {
		return err
	}
	q.unlockGone(q.at)
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}
