package calendar

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// localGrace is how long the process that wrote a message for a colleague has
// for delivering it itself; then the courier takes it for crashed.
const localGrace = 15 * time.Second

// noBase is the base of messages that no change of an object caused.
const noBase = -1

// send writes the journal rows of messages that no change caused, in the
// caller's transaction.
func (s *Service) send(tx *store.Tx, from store.AccountID, object int64, messages []itip.Message, dir *Directory) ([]*store.Entry, error) {
	return s.sendChange(tx, from, object, noBase, messages, dir)
}

// sendChange writes the journal rows of messages that a change caused; base is
// the state of the object before it, 0 when there was none.
func (s *Service) sendChange(tx *store.Tx, from store.AccountID, object, base int64, messages []itip.Message, dir *Directory) ([]*store.Entry, error) {
	if len(messages) == 0 || s.journal == nil {
		return nil, nil
	}
	now := s.now()
	sender, err := tx.Account(from)
	if err != nil {
		return nil, fmt.Errorf("sender of messages: %w", err)
	}
	window := s.undoWindow(sender)
	rows := make([]*store.Entry, 0, len(messages))
	for _, m := range messages {
		w := dir.writing(m.Calendar)
		e := &store.Entry{
			Account: from, Direction: journal.Out, State: journal.Due, Status: "1.0",
			Method: string(m.Method), UID: m.UID, RecurrenceID: m.RecurrenceID, Sequence: m.Sequence,
			From: string(m.From), To: string(m.To), Calendar: w.body, Object: object,
			Refresh: m.Refresh, Opens: m.First, Asks: m.Asks, Base: base, Created: now,
		}
		if len(m.Changes) > 0 {
			var err error
			if e.Changes, err = json.Marshal(m.Changes); err != nil {
				return nil, fmt.Errorf("changes for %s: %w", m.To, err)
			}
		}
		if dir.local(m.To) {
			e.Transport, e.NextAttempt = journal.Local, now
			e.LeaseOwner, e.LeaseUntil = "saving", now.Add(localGrace)
		} else {
			e.NextAttempt = now.Add(window)
			if s.pastMail(m) {
				e.State, e.Status, e.Reason, e.Sentence = journal.Superseded, "", "past", "The event is over; nobody outside is mailed about it any more."
			}
		}
		rows = append(rows, e)
	}
	if dir.err != nil {
		return nil, fmt.Errorf("look up recipients: %w", dir.err)
	}
	if err := s.journal.AddAll(tx, rows); err != nil {
		return nil, err
	}
	return rows, nil
}

// pastMail tells whether an organizer's message is about something that was over
// long ago, which people elsewhere are not to be mailed about (OUT-12): whoever
// tidies up old events does not want to explain that to their guests.
func (s *Service) pastMail(m itip.Message) bool {
	if s.o.QuietAfter <= 0 || m.Method != itip.Request && m.Method != itip.Cancel {
		return false
	}
	for _, c := range m.Calendar.Main() {
		if c.Name != "VEVENT" || c.Prop("RRULE") != nil || c.Prop("RDATE") != nil {
			return false
		}
	}
	end := itip.Summarize(m.Calendar, nil).To
	return !end.IsZero() && s.now().Sub(end) > s.o.QuietAfter
}

func sentOf(messages []itip.Message, rows []*store.Entry, dir *Directory) []Sent {
	var out []Sent
	for i, m := range messages {
		x := Sent{Method: m.Method, To: m.To, RecurrenceID: m.RecurrenceID, Local: dir.local(m.To), Refresh: m.Refresh, Calendar: m.Calendar, Changes: m.Changes}
		if i < len(rows) {
			x.Entry = rows[i].ID
		}
		out = append(out, x)
	}
	return out
}
