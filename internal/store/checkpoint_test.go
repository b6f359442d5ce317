package store

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestLogIsCopiedBesideTheWriter writes more rows than are left in the log,
// and waits until they are in the database although nobody writes any more.
func TestLogIsCopiedBesideTheWriter(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), Options{Dir: dir, Durability: "normal"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const octets = checkpointRows * 4096 // half of what the writer would copy itself
	err = s.Update(t.Context(), func(tx *Tx) error {
		a := Account{Name: "ann"}
		if err := tx.AddAccount(&a); err != nil {
			return err
		}
		raw := bytes.Repeat([]byte("x"), 4000)
		for i := range checkpointRows {
			if _, err := tx.exec(`insert into entry_raw (account, id, raw) values ($1, $2, $3)`, a.ID, i, raw); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		info, err := os.Stat(filepath.Join(dir, sqliteFile))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > octets*9/10 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the database has %d octets after a minute; %d were written", info.Size(), octets)
		}
	}
}

func TestLogIsCopiedOncePerPortion(t *testing.T) {
	c := checkpointer{wake: make(chan struct{}, 1)}
	woken := func() bool {
		select {
		case <-c.wake:
			return true
		default:
			return false
		}
	}
	for _, step := range []struct {
		rows int64
		want bool
	}{{0, false}, {checkpointRows - 1, false}, {checkpointRows, true}, {checkpointRows + 1, false}, {2*checkpointRows - 1, false}, {3 * checkpointRows, true}} {
		if c.written(step.rows); woken() != step.want {
			t.Errorf("after %d rows: woken %v, want %v", step.rows, !step.want, step.want)
		}
	}
}
