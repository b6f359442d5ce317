package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/harness/pg"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// TestConcurrentUpdatesFailAlone runs many updates at once, of which some fail
// in every way a function can: exactly those that succeeded are there. Each has a
// savepoint in the one half, and those who share a commit run again in the other.
func TestConcurrentUpdatesFailAlone(t *testing.T) {
	t.Run("careful", func(t *testing.T) { failAlone(t, func(*store.Tx) {}) })
	t.Run("again", func(t *testing.T) { failAlone(t, store.Forgive) })
}

func failAlone(t *testing.T, before func(*store.Tx)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		const writers, each = 8, 12
		errFn := errors.New("the function's own")
		var kept sync.Map
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					n := w*each + i
					o := object(account, calendar, n)
					ctx, cancel := context.WithCancel(context.Background())
					var err error
					func() {
						defer func() {
							if r := recover(); r != nil {
								err = fmt.Errorf("panic: %v", r)
							}
						}()
						err = s.Update(ctx, func(tx *store.Tx) error {
							before(tx)
							o.ID = 0
							if err := tx.PutObject(&o, []byte("text"), hour(day)); err != nil {
								return err
							}
							switch n % 6 {
							case 1:
								return errFn
							case 2:
								panic("in the function")
							case 3:
								cancel()
								return tx.PutObject(&o, []byte("again"), hour(day))
							}
							return nil
						})
					}()
					cancel()
					switch n % 6 {
					case 1:
						wantIs(t, "failing function", err, errFn)
					case 2:
						if err == nil || !strings.Contains(err.Error(), "in the function") {
							t.Errorf("panic did not arrive: %v", err)
						}
					case 3:
						wantIs(t, "cancelled", err, context.Canceled)
					default:
						if err != nil {
							t.Errorf("update %d: %v", n, err)
						}
						kept.Store(o.Name, true)
					}
				}
			})
		}
		wg.Wait()
		got, seqs := 0, map[int64]bool{}
		view(t, s, func(tx *store.Tx) error {
			for o, err := range tx.ListObjects(account, calendar) {
				if err != nil {
					return err
				}
				if _, ok := kept.Load(o.Name); !ok {
					t.Errorf("%s is there and its update failed", o.Name)
				}
				if seqs[o.Seq] {
					t.Errorf("sequence %d twice", o.Seq)
				}
				seqs[o.Seq] = true
				got++
			}
			return nil
		})
		if want := writers * each * 3 / 6; got != want {
			t.Errorf("%d objects, want %d", got, want)
		}
	})
}

// TestGoexitInsideUpdate is what t.Fatal in a test of someone's does.
func TestGoexitInsideUpdate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Update(context.Background(), func(tx *store.Tx) error {
				o := object(account, calendar, 1)
				if err := tx.PutObject(&o, nil, hour(day)); err != nil {
					t.Error(err)
				}
				runtime.Goexit()
				return nil
			})
		}()
		<-done
		update(t, s, func(tx *store.Tx) error {
			_, err := tx.Object(account, calendar, "1.ics")
			wantIs(t, "object of the update that left", err, store.ErrNotFound)
			return nil
		})
	})
}

// TestUpdatesOfOneHomeDoNotLoseEachOther counts in a row that all write.
func TestUpdatesOfOneHomeDoNotLoseEachOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		o := object(account, calendar, 1)
		put(t, s, &o, "", hour(day))
		const writers, each = 6, 10
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range each {
					if err := s.Update(context.Background(), func(tx *store.Tx) error {
						now, err := tx.Object(account, calendar, o.Name)
						if err != nil {
							return err
						}
						body, err := tx.Body(account, now.ID)
						if err != nil {
							return err
						}
						return tx.PutObject(&now, append(body, 'x'), hour(day))
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		view(t, s, func(tx *store.Tx) error {
			body, err := tx.Body(account, o.ID)
			if len(body) != writers*each {
				t.Errorf("%d updates are left of %d", len(body), writers*each)
			}
			return err
		})
	})
}

func TestViewSeesOneSnapshot(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		view(t, s, func(tx *store.Tx) error {
			before, err := tx.HomeSeq(account)
			if err != nil {
				return err
			}
			o := object(account, calendar, 1)
			put(t, s, &o, "", hour(day)) // by someone else, meanwhile
			after, err := tx.HomeSeq(account)
			if before != after {
				t.Errorf("the snapshot moved from %d to %d", before, after)
			}
			_, none := tx.Object(account, calendar, o.Name)
			wantIs(t, "an object from after the snapshot", none, store.ErrNotFound)
			return err
		})
		err := s.View(t.Context(), func(tx *store.Tx) error { return tx.DeleteObject(account, 1) })
		if err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("a change inside View: %v", err)
		}
	})
}

// TestSlowReadersDoNotKeepOthersOut holds many snapshots at once, as clients on
// slow networks do.
func TestSlowReadersDoNotKeepOthersOut(t *testing.T) {
	s := storetest.Open(t, store.Options{Dir: t.TempDir(), ReadConns: 2})
	home(t, s, "ann")
	const readers = 20
	in, out := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			if err := s.View(context.Background(), func(tx *store.Tx) error {
				_, err := tx.AccountByName("ann")
				in <- struct{}{}
				<-out
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
	for range readers {
		<-in
	}
	close(out)
	wg.Wait()
}

func TestClosedStoreSaysSo(t *testing.T) {
	s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	nothing := func(*store.Tx) error { return nil }
	if err := s.View(t.Context(), nothing); err == nil {
		t.Error("View of a closed store")
	}
	if err := s.Update(t.Context(), nothing); err == nil {
		t.Error("Update of a closed store")
	}
}

func TestWatchersHearOfCommits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ann, calendar := home(t, s, "ann")
		bob, _ := home(t, s, "bob")
		ctx, cancel := context.WithCancel(t.Context())
		annHint, bobHint, any := s.Watch(ctx, ann), s.Watch(ctx, bob), s.Changed()
		drain := func(c <-chan struct{}) { // hints from before, if any
			select {
			case <-c:
			default:
			}
		}
		drain(annHint)
		drain(bobHint)
		o := object(ann, calendar, 1)
		put(t, s, &o, "", hour(day))
		<-any
		<-annHint
		cancel()
		for range annHint { // is closed
		}
	})
}

// TestOtherProcessesAreHeard stands a second Store for the command line beside
// a running server.
func TestOtherProcessesAreHeard(t *testing.T) {
	dir := t.TempDir()
	server := storetest.Open(t, store.Options{Dir: dir, Serve: true, PollEvery: 5 * time.Millisecond})
	account, calendar := home(t, server, "ann")
	cli := storetest.Open(t, store.Options{Dir: dir})
	if again, err := store.Open(t.Context(), store.Options{Dir: dir, Serve: true}); err == nil {
		again.Close()
		t.Error("two servers on one directory")
	}
	hint, any := server.Watch(t.Context(), account), server.Changed()
	o := object(account, calendar, 1)
	put(t, cli, &o, "", hour(day))
	<-hint
	<-any
	p := object(account, calendar, 2)
	put(t, server, &p, "", hour(day))
	if p.Seq <= o.Seq {
		t.Errorf("sequence %d after %d", p.Seq, o.Seq)
	}
}

func TestNodesOnPostgresHearOfEachOther(t *testing.T) {
	url := pg.Database(t)
	one := storetest.Open(t, store.Options{URL: url})
	account, calendar := home(t, one, "ann")
	two := storetest.Open(t, store.Options{URL: url})
	hint := two.Watch(t.Context(), account)
	for i := 0; ; i++ { // the first may come before the other node listens
		o := object(account, calendar, i)
		put(t, one, &o, "", hour(day))
		select {
		case <-hint:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := storetest.Open(t, store.Options{Dir: dir, Serve: true})
	home(t, s, "ann")
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v %v", info.Mode(), err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 3 {
		t.Fatalf("files: %v %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestARelativeDirectoryWithAnyNameOpens(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"data", "a ?b#c%41&d"} {
		s := storetest.Open(t, store.Options{Dir: dir})
		home(t, s, "ann")
		if _, err := os.Stat(filepath.Join(dir, "convene.db")); err != nil {
			t.Error(err)
		}
	}
}

// Killed with kill -9 under load, the store has every update that was
// acknowledged, whole, and none by half.

const childVariable = "CONVENE_STORE_TEST_CHILD"

// TestMain of this package hands over to this function in the child: it writes
// pairs of objects and says which are acknowledged.
func writeUntilKilled(dir string) {
	s, err := store.Open(context.Background(), store.Options{Dir: dir, Serve: true})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var account store.AccountID
	var calendar int64
	err = s.View(context.Background(), func(tx *store.Tx) error {
		a, err := tx.AccountByName("ann")
		if err != nil {
			return err
		}
		c, err := tx.CollectionByName(a.ID, "default")
		account, calendar = a.ID, c.ID
		return err
	})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var n atomic.Int64
	n.Store(int64(os.Getpid()) * 1_000_000)
	for range 8 {
		go func() {
			for {
				i := int(n.Add(2))
				err := s.Update(context.Background(), func(tx *store.Tx) error {
					for _, k := range []int{i, i + 1} {
						o := object(account, calendar, k)
						if err := tx.PutObject(&o, []byte(o.UID), hour(day)); err != nil {
							return err
						}
					}
					e := message(account, fmt.Sprint(i), "bob")
					return tx.AddEntry(&e)
				})
				if err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				fmt.Println("kept", i)
			}
		}()
	}
	select {}
}

func TestKilledUnderLoadKeepsWhatWasAcknowledged(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	account, calendar := home(t, s, "ann")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	acknowledged := map[int]bool{}
	for round := range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := 0
		var word string
		var i int
		for {
			if _, err := fmt.Fscanln(out, &word, &i); err != nil {
				break
			}
			if word != "kept" {
				t.Fatalf("child: %s", word)
			}
			acknowledged[i] = true
			if lines++; lines == 100+37*round {
				if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait() // it was killed
		if lines < 100 {
			t.Fatalf("the child ended after %d updates", lines)
		}
	}
	s = storetest.Open(t, store.Options{Dir: dir, Serve: true})
	there := map[string]bool{}
	view(t, s, func(tx *store.Tx) error {
		for o, err := range tx.ListObjects(account, calendar) {
			if err != nil {
				return err
			}
			body, err := tx.Body(account, o.ID)
			if err != nil || string(body) != o.UID {
				t.Errorf("%s: text %q %v", o.Name, body, err)
			}
			there[o.Name] = true
		}
		entries, err := tx.Entries(store.EntryFilter{})
		if len(entries)*2 != len(there) {
			t.Errorf("%d journal rows beside %d objects", len(entries), len(there))
		}
		return err
	})
	for i := range acknowledged {
		if !there[fmt.Sprintf("%d.ics", i)] || !there[fmt.Sprintf("%d.ics", i+1)] {
			t.Errorf("update %d was acknowledged and is not there whole", i)
		}
	}
	t.Logf("%d updates acknowledged, %d objects there", len(acknowledged), len(there))
}

func TestFullDiskLosesNothingAndSaysSo(t *testing.T) {
	dir := t.TempDir()
	s := storetest.Open(t, store.Options{Dir: dir, Durability: "normal"})
	account, calendar := home(t, s, "ann")
	store.LimitPages(t, s, 220)
	var kept sync.Map
	var refused atomic.Int64
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 60 {
				n := w*1000 + i
				err := s.Update(context.Background(), func(tx *store.Tx) error {
					for _, k := range []int{n, n + 500} {
						o := object(account, calendar, k)
						// A function that ignores errors cannot write half of it.
						_ = tx.PutObject(&o, []byte(strings.Repeat("x", 3000)), hour(day))
					}
					return nil
				})
				switch {
				case err == nil:
					kept.Store(n, true)
				case problem.Has(err, problem.InsufficientStorage):
					refused.Add(1)
				default:
					t.Errorf("a full disk shows as %v", err)
				}
			}
		})
	}
	wg.Wait()
	if refused.Load() == 0 {
		t.Fatal("the disk did not fill up")
	}
	names := map[string]bool{}
	view(t, s, func(tx *store.Tx) error {
		for o, err := range tx.ListObjects(account, calendar) {
			if err != nil {
				return err
			}
			if body, err := tx.Body(account, o.ID); err != nil || len(body) != 3000 {
				t.Errorf("%s: %d octets %v", o.Name, len(body), err)
			}
			names[o.Name] = true
		}
		return nil
	})
	pairs := 0
	kept.Range(func(k, _ any) bool {
		pairs++
		if n := k.(int); !names[fmt.Sprintf("%d.ics", n)] || !names[fmt.Sprintf("%d.ics", n+500)] {
			t.Errorf("update %d was acknowledged and is not there whole", n)
		}
		return true
	})
	if len(names) != 2*pairs || pairs == 0 {
		t.Errorf("%d objects of %d acknowledged updates", len(names), pairs)
	}
	// Room again: it goes on.
	store.LimitPages(t, s, 100_000)
	o := object(account, calendar, 9999)
	put(t, s, &o, "text", hour(day))
}

// TestAnotherProcessGetsItsTurn has the command line write while a server
// commits without a pause.
func TestAnotherProcessGetsItsTurn(t *testing.T) {
	dir := t.TempDir()
	server := storetest.Open(t, store.Options{Dir: dir, Serve: true})
	account, calendar := home(t, server, "ann")
	cli := storetest.Open(t, store.Options{Dir: dir})
	var n atomic.Int64
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 8 {
		wg.Go(func() {
			for ctx.Err() == nil {
				o := object(account, calendar, int(n.Add(1)))
				err := server.Update(ctx, func(tx *store.Tx) error {
					o.ID = 0
					return tx.PutObject(&o, []byte("text"), hour(day))
				})
				if err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 10 {
		o := object(account, calendar, -i-1)
		before := n.Load()
		put(t, cli, &o, "text", hour(day))
		// Without turns it waits for thousands.
		if passed := n.Load() - before; passed > 1000 {
			t.Errorf("the server made %d changes before another process could make one", passed)
		}
	}
}
