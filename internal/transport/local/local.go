package local

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// Options of the transport. Calendar and Accounts are required.
type Options struct {
	Calendar *calendar.Service
	Accounts *account.Service
	Log      *slog.Logger
}

// Local is the transport; see [journal.Transport].
type Local struct{ o Options }

var _ journal.Transport = (*Local)(nil)

// New makes the transport.
func New(o Options) *Local {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Local{o}
}

// Name is "local".
func (*Local) Name() string { return journal.Local }

// Accepts reports whether the address has an account here. An address of our
// domains without one may be a mailbox like any other: mail's to find out.
func (l *Local) Accepts(ctx context.Context, to ical.Address) bool {
	_, ok, err := l.o.Accounts.Lookup(ctx, to)
	if err != nil {
		l.o.Log.Error("recipient cannot be looked up", "to", to, "error", err)
	}
	return ok
}

// Send delivers a batch in one transaction.
func (l *Local) Send(ctx context.Context, batch []*store.Entry) []journal.Outcome {
	out := make([]journal.Outcome, len(batch))
	arrivals := make([]calendar.Arrival, 0, len(batch))
	index := make([]int, 0, len(batch)) // of arrivals in batch
	var last message
	for i, e := range batch {
		a, o := last.arrival(e)
		if o != nil {
			out[i] = *o
			continue
		}
		arrivals, index = append(arrivals, a), append(index, i)
	}
	if len(arrivals) == 0 {
		return out
	}
	got, err := l.o.Calendar.ReceiveAll(ctx, arrivals)
	for k, i := range index {
		if err != nil {
			out[i] = journal.Outcome{State: journal.Retry, Status: "5.1", Reason: "store", Sentence: problem.Of(err).Sentence}
			continue
		}
		out[i] = outcome(got[k])
	}
	if err != nil && ctx.Err() == nil {
		l.o.Log.Error("local delivery failed and will be tried again", "messages", len(arrivals), "error", err)
	}
	return out
}

// message is the one that was read last: that to the guests of a meeting is mostly
// the same for all of them.
type message struct {
	text []byte
	cal  *ical.Calendar
}

func (m *message) arrival(e *store.Entry) (calendar.Arrival, *journal.Outcome) {
	if m.cal == nil || !bytes.Equal(m.text, e.Calendar) {
		cal, err := ical.Parse(e.Calendar)
		if err != nil {
			return calendar.Arrival{}, &journal.Outcome{State: journal.Failed, Status: "5.1", Reason: "unreadable", Sentence: fmt.Sprintf("The message cannot be read: %v.", err)}
		}
		m.text, m.cal = e.Calendar, cal
	}
	return calendar.Arrival{
		Recipient: ical.Address(e.To), From: ical.Address(e.From), Message: m.cal, Method: itip.Method(e.Method),
		Transport: journal.Local, Received: e.Created, Sent: e,
	}, nil
}

// told says to the sender what a colleague's calendar did. Its own sentence
// speaks to the colleague, and may tell what is none of the sender's business:
// that an event was deleted, or waits.
func told(d itip.Decision) string {
	switch d {
	case itip.Applied:
		return "Delivered: the recipient's calendar is up to date."
	case itip.Unchanged:
		return "Delivered: the recipient's calendar was up to date already."
	}
	return "Delivered to the recipient."
}

// outcome words what became of a message for its sender. That the recipient's
// calendar had nothing to change is a delivery too.
func outcome(r calendar.Received) journal.Outcome {
	o := journal.Outcome{State: journal.Delivered, Status: "1.2", Next: r.Next}
	switch {
	case r.Err != nil && problem.Has(r.Err, problem.NotFound):
		// RFC 6638 3.2.9: 3.7, not a valid calendar user.
		return journal.Outcome{State: journal.Failed, Status: "3.7", Reason: "no-such-user", Sentence: problem.Of(r.Err).Sentence}
	case r.Err != nil:
		return journal.Outcome{State: journal.Failed, Status: "5.3", Reason: string(problem.Of(r.Err).Condition), Sentence: problem.Of(r.Err).Sentence}
	case r.Result.Decision == itip.Rejected:
		o.State, o.Status = journal.Failed, "5.3"
		if r.Result.Reason == calendar.ReasonNotAllowed {
			o.Status = "3.8" // RFC 6638 3.2.9
		}
	}
	o.Reason, o.Sentence = r.Result.Reason, told(r.Result.Decision)
	if o.State == journal.Failed {
		o.Sentence = "The recipient's calendar refused it: " + r.Result.Sentence
	}
	return o
}
