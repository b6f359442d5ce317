package journal_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
)

// A transport that hands a message on is not asked for it again, however often
// the next one has to try.
func TestMessageIsPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.SQLite(t)
		first, second := &post{name: "cip"}, &post{name: "mail"}
		first.fail = func(e *store.Entry) *journal.Outcome {
			return &journal.Outcome{State: journal.Pass, Sentence: "no CIP there"}
		}
		down := true
		second.fail = func(e *store.Entry) *journal.Outcome {
			if down {
				return &journal.Outcome{State: journal.Retry, Sentence: "451"}
			}
			return nil
		}
		j := journal.New(journal.Options{Store: s, Transports: []journal.Transport{first, second}})
		a := alice(t, s)
		e := message(a, "REQUEST", "1@example.test", "", "mailto:dave@elsewhere.test")
		add(t, s, j, e)
		stop := run(t, j)
		time.Sleep(10 * time.Minute)
		second.mu.Lock()
		down = false
		second.mu.Unlock()
		time.Sleep(20 * time.Minute)
		stop()
		row, err := j.Show(t.Context(), a, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if row.State != journal.Sent || row.Transport != "mail" || first.sent != 1 || second.sent < 3 {
			t.Errorf("%s by %s after %d and %d attempts", row.State, row.Transport, first.sent, second.sent)
		}
		if len(row.Attempts) < 2 || row.Attempts[0].Transport != "cip" || row.Attempts[1].Transport != "mail" || row.Attempts[0].Time.Add(time.Second).Before(row.Attempts[1].Time) {
			t.Errorf("attempts %+v", row.Attempts)
		}
	})
}

func TestNobodyToPassTo(t *testing.T) {
	for status, want := range map[string]string{"": journal.Due, "1.0": journal.Due, "5.2": journal.Failed} {
		synctest.Test(t, func(t *testing.T) {
			s := storetest.SQLite(t)
			p := &post{name: "cip"}
			p.fail = func(*store.Entry) *journal.Outcome {
				return &journal.Outcome{State: journal.Pass, Status: status, Sentence: "not by CIP"}
			}
			j := journal.New(journal.Options{Store: s, Transports: []journal.Transport{p}})
			a := alice(t, s)
			e := message(a, "REQUEST", "1@example.test", "", "mailto:dave@elsewhere.test")
			add(t, s, j, e)
			stop := run(t, j)
			time.Sleep(10 * time.Second)
			stop()
			row, err := j.Show(t.Context(), a, e.ID)
			if err != nil {
				t.Fatal(err)
			}
			if row.State != want || !strings.Contains(row.Sentence, "not by CIP") || p.sent != 1 {
				t.Errorf("status %q: %s, %q after %d attempts", status, row.State, row.Sentence, p.sent)
			}
		})
	}
}
