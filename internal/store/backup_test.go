package store_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// content is a backup's lines without the first, with booleans as SQLite has
// them, in an order of their own within each table.
func content(t *testing.T, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
	table := ""
	for i, line := range lines {
		if line[0] != '[' {
			table = line
			continue
		}
		var row []any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		for k, v := range row {
			switch v {
			case true:
				row[k] = 1
			case false:
				row[k] = 0
			}
		}
		b, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		lines[i] = table + string(b)
	}
	slices.Sort(lines)
	return lines
}

// populate makes at least one row in every table.
func populate(t *testing.T, s *store.Store) (store.AccountID, int64) {
	t.Helper()
	account, calendar := home(t, s, "ann")
	bob, _ := home(t, s, "bob")
	for n := range 3 {
		o := object(account, calendar, n)
		o.Memory = []byte{0, 255, '"'}
		put(t, s, &o, "BEGIN:VCALENDAR\r\n\x00\xff<&>", hour(day))
		put(t, s, &o, "second", hour(day))
		if n == 0 {
			update(t, s, func(tx *store.Tx) error { return tx.DeleteObject(account, o.ID) })
		}
	}
	update(t, s, func(tx *store.Tx) error {
		e := message(account, "u", "mailto:bob@example.org")
		e.Raw, e.Attempts = []byte("mail\xff"), []store.Attempt{{Time: day, Sentence: "„Busy“ <&>"}}
		p := store.AppPassword{Account: account, Label: "phone", Hash: []byte{1, 2}, Created: day}
		for _, err := range []error{
			tx.AddEntry(&e), tx.AddAppPassword(&p),
			tx.SetAddresses(account, []store.Address{{Key: "ann@example.com", URI: "mailto:Ann@example.com", Verified: true}}),
			tx.SetRedirect(store.Redirect{Account: account, OldKey: "old@example.com", NewURI: "mailto:ann@example.com"}),
			tx.AddShare(store.Share{Account: account, Collection: calendar, Grantee: bob, Access: "read"}),
			tx.SetBookingPolicy(bob, []byte(`{"hours":"Mo-Fr"}`)),
			tx.SetMembers(bob, []store.Member{{Key: "ann@example.org", URI: "mailto:ann@example.org"}}),
			tx.PutCIPEvent(store.CIPEvent{Account: account, UID: "u", Wire: "u.2@example.com", Version: 7, Since: 5, Stamp: day, Answers: 2}),
			tx.SetCIPMoved(store.CIPMoved{Account: account, OldKey: "cy@example.org", NewKey: "cy@example.net", NewURI: "mailto:cy@example.net", Created: day}),
			tx.AddConsent(store.Consent{Account: account, Designate: "bob@example.org", URI: "mailto:bob@example.org", Created: day}),
		} {
			if err != nil {
				return err
			}
		}
		c, err := tx.Collection(account, calendar)
		if err != nil {
			return err
		}
		c.Properties, c.Transparent = map[string]string{"{urn:x}y": "<y xmlns='urn:x'/>"}, true
		return tx.UpdateCollection(c)
	})
	return account, calendar
}

func TestBackupOfOneEngineIsRestoredOnTheOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := populate(t, s)
		path := filepath.Join(t.TempDir(), "backup")
		var rows int64
		if err := s.Backup(t.Context(), path, func(n int64) { rows = n }); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || rows < 20 {
			t.Errorf("backup: %v %v, %d rows", info, err, rows)
		}
		want := content(t, path)
		for _, table := range []string{"account", "home", "address", "app_password", "redirect", "collection", "collection_state", "object", "object_text",
			"occupancy", "tombstone", "version", "share", "entry", "entry_raw", "booking_policy", "member", "consent"} {
			if !slices.ContainsFunc(want, func(l string) bool {
				return strings.HasPrefix(l, `{"table":"`+table+`"`) && strings.HasSuffix(l, "]")
			}) {
				t.Errorf("the backup has no row of %s", table)
			}
		}
		storetest.Each(t, func(t *testing.T, to *store.Store) {
			if err := to.Restore(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			again := filepath.Join(t.TempDir(), "again")
			if err := to.Backup(t.Context(), again); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, content(t, again)); d != "" {
				t.Errorf("(-backed up +restored):\n%s", d)
			}
			if err := to.Restore(t.Context(), path); !problem.Has(err, problem.Exists) {
				t.Errorf("restored over accounts: %v", err)
			}
			// Life goes on with new numbers.
			carol, _ := home(t, to, "carol")
			e := message(account, "u2", "x")
			addEntry(t, to, &e)
			o := object(account, calendar, 99)
			put(t, to, &o, "text", hour(day))
			if carol <= 2 || e.ID <= 1 {
				t.Errorf("new account %d, new journal row %d", carol, e.ID)
			}
		})
	})
}

func TestDamagedBackupLeavesTheStoreEmpty(t *testing.T) {
	from := storetest.SQLite(t)
	populate(t, from)
	var whole bytes.Buffer
	if err := from.BackupTo(t.Context(), &whole); err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(whole.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	packed := func(s string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write([]byte(s))
		w.Close()
		return b.Bytes()
	}
	to := storetest.SQLite(t)
	for what, data := range map[string][]byte{
		"nothing":            nil,
		"something else":     []byte("BEGIN:VCALENDAR"),
		"half the file":      whole.Bytes()[:whole.Len()/2],
		"without its end":    packed(strings.Join(lines[:len(lines)-2], "")),
		"a line missing":     packed(strings.Replace(string(text), lines[3], "", 1)),
		"a newer format":     packed(strings.Replace(string(text), `"convene-backup":1`, `"convene-backup":9`, 1)),
		"another schema":     packed(strings.Replace(string(text), `"schema":`, `"schema":99`, 1)),
		"no schema":          packed(strings.Replace(string(text), `"schema":`, `"x":`, 1)),
		"a column missing":   packed(strings.Replace(string(text), `"display_name",`, "", 1)),
		"a column twice":     packed(strings.Replace(string(text), `"display_name"`, `"name"`, 1)),
		"a foreign table":    packed(strings.Replace(string(text), `"table":"account"`, `"table":"sqlite_schema"`, 1)),
		"a foreign column":   packed(strings.Replace(string(text), `"display_name"`, `"x) values (1); --"`, 1)),
		"broken JSON":        packed(strings.Replace(string(text), lines[2], "[1,\n", 1)),
		"a line after":       packed(string(text) + "{}\n"),
		"a value of no kind": packed(strings.Replace(string(text), lines[2], "[null]\n", 1)),
	} {
		path := filepath.Join(t.TempDir(), "backup")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := to.Restore(t.Context(), path); !problem.Has(err, problem.BadInput) {
			t.Errorf("%s: %v", what, err)
		}
		view(t, to, func(tx *store.Tx) error {
			if list, err := tx.Accounts("", 0); err != nil || len(list) != 0 {
				t.Errorf("%s: left %d accounts, %v", what, len(list), err)
			}
			return nil
		})
	}
	if err := to.Restore(t.Context(), filepath.Join(t.TempDir(), "absent")); !problem.Has(err, problem.BadInput) {
		t.Errorf("absent file: %v", err)
	}
}

// The files were written by the program as it was with schema 1.
func TestBackupOfAnOlderSchemaIsRestored(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		path := filepath.Join("testdata", "backup-schema-1-"+engine+".gz")
		storetest.Each(t, func(t *testing.T, s *store.Store) {
			if err := s.Restore(t.Context(), path); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			again := filepath.Join(t.TempDir(), "again")
			if err := s.Backup(t.Context(), again); err != nil {
				t.Fatal(err)
			}
			// Columns that came later stand at the end of a row.
			rowOf := func(line string) (string, bool) {
				head, row, ok := strings.Cut(line, "]}[")
				table, _, _ := strings.Cut(head, `,"columns"`)
				return table + strings.TrimSuffix(row, "]"), ok
			}
			now := content(t, again)
			rows := 0
			for _, line := range content(t, path) {
				row, ok := rowOf(line)
				if !ok {
					continue
				}
				rows++
				if !slices.ContainsFunc(now, func(l string) bool { r, ok := rowOf(l); return ok && strings.HasPrefix(r, row) }) {
					t.Errorf("%s: lost %s", path, line)
				}
			}
			if rows < 20 {
				t.Errorf("%s: only %d rows", path, rows)
			}
			// What came since is there to be used.
			view(t, s, func(tx *store.Tx) error {
				ann, err := tx.AccountByName("ann")
				if err != nil {
					return err
				}
				policy, err := tx.BookingPolicy(ann.ID)
				members, err2 := tx.Members(ann.ID)
				if err != nil || err2 != nil || policy != nil || members != nil {
					t.Errorf("%s: policy %s %v, members %v %v", path, policy, err, members, err2)
				}
				return nil
			})
		})
	}
}
