package store_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// TestReplayingTheChangeLogGivesTheState is the promise of sync tokens (RFC
// 6578): whoever knows a collection as it was at any point and applies the
// changes since, in portions of any size, knows it as it is.
func TestReplayingTheChangeLogGivesTheState(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		homes := 0
		rapid.Check(t, func(r *rapid.T) {
			homes++
			account, one := home(t, s, fmt.Sprintf("home%d", homes))
			other := store.Collection{Account: account, Name: "other", Kind: store.Calendar, Created: day}
			update(t, s, func(tx *store.Tx) error { return tx.AddCollection(&other) })
			collections := []int64{one, other.ID}

			type state map[string]int64 // name → sequence
			model := map[int64]state{one: {}, other.ID: {}}
			ids := map[int64]map[string]int64{one: {}, other.ID: {}}
			type point struct {
				seq int64
				at  map[int64]state
			}
			var points []point
			remember := func() {
				view(t, s, func(tx *store.Tx) error {
					seq, err := tx.HomeSeq(account)
					points = append(points, point{seq, map[int64]state{one: maps.Clone(model[one]), other.ID: maps.Clone(model[other.ID])}})
					return err
				})
			}
			remember()
			for range rapid.IntRange(1, 25).Draw(r, "steps") {
				c := rapid.SampledFrom(collections).Draw(r, "collection")
				name := fmt.Sprintf("%d.ics", rapid.IntRange(0, 5).Draw(r, "name"))
				id := ids[c][name]
				switch verb := rapid.SampledFrom([]string{"put", "put", "delete", "move"}).Draw(r, "verb"); {
				case verb == "put":
					o := object(account, c, 0)
					o.ID, o.Name = id, name
					put(t, s, &o, fmt.Sprint(len(points)), hour(day))
					ids[c][name], model[c][name] = o.ID, o.Seq
				case id == 0:
					continue
				case verb == "delete":
					update(t, s, func(tx *store.Tx) error { return tx.DeleteObject(account, id) })
					delete(ids[c], name)
					delete(model[c], name)
				default:
					to := rapid.SampledFrom(collections).Draw(r, "to")
					newName := fmt.Sprintf("%d.ics", rapid.IntRange(0, 5).Draw(r, "new name"))
					if ids[to][newName] != 0 {
						continue
					}
					var seq int64
					update(t, s, func(tx *store.Tx) error {
						if err := tx.MoveObject(account, id, to, newName); err != nil {
							return err
						}
						o, err := tx.ObjectByID(account, id)
						seq = o.Seq
						return err
					})
					delete(ids[c], name)
					delete(model[c], name)
					ids[to][newName], model[to][newName] = id, seq
				}
				remember()
			}
			limit := rapid.IntRange(1, 4).Draw(r, "limit")
			for _, p := range points {
				for _, c := range collections {
					got := maps.Clone(p.at[c])
					since := p.seq
					for more := true; more; {
						view(t, s, func(tx *store.Tx) error {
							list, m, err := tx.Changes(account, c, since, limit)
							more = m
							for _, ch := range list {
								if ch.Seq <= since || ch.Collection != c {
									t.Errorf("change %+v after %d in collection %d", ch, since, c)
								}
								since = ch.Seq
								if ch.Deleted {
									delete(got, ch.Name)
								} else {
									got[ch.Name] = ch.Seq
								}
							}
							return err
						})
					}
					if d := cmp.Diff(model[c], state(got)); d != "" {
						r.Fatalf("collection %d replayed from %d (-want +got):\n%s", c, p.seq, d)
					}
				}
			}
		})
	})
}

func TestPruningTombstonesRaisesTheHorizon(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		o := object(account, calendar, 1)
		put(t, s, &o, "text", hour(day))
		update(t, s, func(tx *store.Tx) error { return tx.DeleteObject(account, o.ID) })
		update(t, s, func(tx *store.Tx) error {
			if list, _, err := tx.Changes(account, calendar, o.Seq, 0); err != nil || len(list) != 1 || !list[0].Deleted {
				t.Errorf("changes before pruning: %+v %v", list, err)
			}
			if list, _, err := tx.Changes(account, calendar, 0, 0); err != nil || len(list) != 0 {
				t.Errorf("an initial sync tells of deletions: %+v %v", list, err)
			}
			if _, err := tx.PruneTombstones(tx.Now().AddDate(0, 0, 1)); err != nil {
				t.Error(err)
			}
			seq, err := tx.HomeSeq(account)
			if min, merr := tx.MinSeq(account); merr != nil || min != seq {
				t.Errorf("MinSeq %d %v, want %d", min, merr, seq)
			}
			return err
		})
	})
}

// TestHomeHasAChangeLogOfItsCollections is sync-collection on a calendar home.
func TestHomeHasAChangeLogOfItsCollections(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		other := store.Collection{Account: account, Name: "other", Kind: store.Calendar, Created: day}
		update(t, s, func(tx *store.Tx) error { return tx.AddCollection(&other) })
		since := int64(0)
		step := func(what, want string, fn func(tx *store.Tx) error) {
			t.Helper()
			update(t, s, fn)
			view(t, s, func(tx *store.Tx) error {
				list, _, err := tx.Changes(account, 0, since, 0)
				got := ""
				for _, c := range list {
					got += fmt.Sprintf("%s %v; ", c.Name, c.Deleted)
					if c.Seq <= since {
						t.Errorf("%s: %+v after %d", what, c, since)
					}
					since = c.Seq
				}
				if got != want {
					t.Errorf("%s: %s, want %s", what, got, want)
				}
				return err
			})
		}
		step("at first", "default false; other false; ", func(tx *store.Tx) error { return nil })
		step("nothing", "", func(tx *store.Tx) error { return nil })
		step("an object", "default false; ", func(tx *store.Tx) error {
			o := object(account, calendar, 1)
			return tx.PutObject(&o, nil, hour(day))
		})
		step("properties", "other false; ", func(tx *store.Tx) error {
			other.DisplayName = "Other"
			return tx.UpdateCollection(other)
		})
		step("another name", "other true; third false; ", func(tx *store.Tx) error {
			other.Name = "third"
			return tx.UpdateCollection(other)
		})
		step("deleted", "third true; ", func(tx *store.Tx) error { return tx.DeleteCollection(account, other.ID) })
		step("made again", "third false; ", func(tx *store.Tx) error {
			return tx.AddCollection(&store.Collection{Account: account, Name: "third", Kind: store.Calendar, Created: day})
		})
	})
}
