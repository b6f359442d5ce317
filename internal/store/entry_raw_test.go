package store_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// Mails of many guests to the same message are kept without it, and are read as
// they were, whatever becomes of their rows.
func TestMailsOfOneMessage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ann, _ := home(t, s, "ann")
		object := bytes.Repeat([]byte("ATTENDEE:mailto:x@example.com\r\n"), 500)
		var lines strings.Builder
		for text := base64.StdEncoding.EncodeToString(object); text != ""; {
			n := min(76, len(text))
			lines.WriteString(text[:n] + "\r\n")
			text = text[n:]
		}
		mails := []string{
			"To: a\r\n\r\n--x\r\n" + string(object) + "\r\n--x\r\n" + lines.String() + "--x--\r\n",
			"To: b\r\n\r\n" + lines.String() + "and again\r\n" + lines.String(),
			"To: c\r\n\r\n" + string(object[:len(object)-5]) + "not quite",
			string(object),
			"To: d\r\n\r\n" + string(object) + string(object) + "!",
			"",
		}
		var rows []store.Entry
		update(t, s, func(tx *store.Tx) error {
			rows = nil
			for i := range mails {
				e := message(ann, "u1", fmt.Sprintf("mailto:%d@example.org", i))
				e.Calendar = object
				if err := tx.AddEntry(&e); err != nil {
					return err
				}
				rows = append(rows, e)
			}
			return nil
		})
		update(t, s, func(tx *store.Tx) error { // composed later, as mails are
			for i := range rows {
				found, err := tx.EntriesByID(ann, []int64{rows[i].ID})
				if err != nil {
					return err
				}
				e := found[rows[i].ID]
				if mails[i] != "" {
					e.Raw = []byte(mails[i])
				}
				if err := tx.UpdateEntry(e); err != nil {
					return err
				}
			}
			return nil
		})
		check := func(when string, most int) {
			t.Helper()
			view(t, s, func(tx *store.Tx) error {
				for i, e := range rows {
					if got, err := tx.Entry(ann, e.ID); err != nil || string(got.Raw) != mails[i] {
						t.Errorf("%s: mail %d has %d octets, want %d: %v", when, i, len(got.Raw), len(mails[i]), err)
					}
				}
				n, err := tx.Octets("entry_raw", "raw")
				if n > most {
					t.Errorf("%s: the mails have %d octets in the store, want at most %d", when, n, most)
				}
				return err
			})
		}
		check("composed", len(object)+200)
		update(t, s, func(tx *store.Tx) error {
			e, err := tx.Entry(ann, rows[0].ID)
			if err != nil {
				return err
			}
			e.State, e.Raw = "sent", nil
			return tx.UpdateEntry(e)
		})
		check("sent", len(object)+200)
		update(t, s, func(tx *store.Tx) error { // other octets in the row, and none that are kept apart
			for i, octets := range [][]byte{bytes.Clone(object[:3000]), []byte("small")} {
				e := rows[i]
				e.Calendar = octets
				if err := tx.UpdateEntry(e); err != nil {
					return err
				}
			}
			return nil
		})
		check("with another message", 10*len(object))
		update(t, s, func(tx *store.Tx) error {
			_, err := tx.PruneEntries(day.Add(1000 * time.Hour))
			return err
		})
		check("after others were pruned", 10*len(object))
	})
}
