package store_test

import (
	"testing"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// Objects come with their octets where these are few enough, by whatever they
// are named, and in portions.
func TestTexts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		update(t, s, func(tx *store.Tx) error {
			for i := range 5 {
				o := object(account, calendar, i)
				if i == 3 {
					o.Summary = "a separator \x1f of its own"
				}
				if err := tx.PutObject(&o, []byte("text"), hour(day)); err != nil {
					return err
				}
			}
			return nil
		})
		view(t, s, func(tx *store.Tx) error {
			var texts store.Texts
			err := tx.TextsNamed(account, calendar, []string{"1.ics", "3.ics", "none.ics"}, 4, &texts)
			named := texts.List
			if err != nil || len(named) != 2 || texts.Octets() != 8 {
				t.Fatalf("by name: %v, %v", named, err)
			}
			for _, o := range named {
				if string(o.Body) != "text" || o.ETag == "" || o.Seq == 0 || o.Collection != calendar {
					t.Errorf("by name: %+v", o)
				}
			}
			ids := []int64{named[0].ID, named[1].ID, 1 << 40}
			if err := tx.TextsOf(account, calendar, ids, 3, &texts); err != nil || len(texts.List) != 2 || texts.List[0].Body != nil || texts.List[0].Size != 4 || texts.Octets() != 0 {
				t.Errorf("larger than asked for: %v, %v", texts, err)
			}
			if err := tx.TaggedTextsOf(account, calendar, ids, 4, &texts); err != nil || len(texts.List) != 2 {
				t.Fatalf("with tags: %v, %v", texts, err)
			}
			for _, o := range texts.List {
				if string(o.Body) != "text" || o.Size != 4 || o.ETag == "" || o.Component != "VEVENT" || o.Name == "" || o.ID == 0 {
					t.Errorf("with tags: %+v", o)
				}
			}
			one, err := tx.TextNamed(account, "default", "3.ics", 4)
			if err != nil || string(one.Body) != "text" || one.Name != "3.ics" || one.Collection != calendar || one.Summary != "a separator \x1f of its own" {
				t.Errorf("one: %+v, %v", one, err)
			}
			var tags []store.Object
			for after := int64(0); ; {
				page, err := tx.TagsAfter(account, calendar, after, 2, nil)
				if err != nil {
					return err
				}
				tags = append(tags, page...)
				if len(page) < 2 {
					break
				}
				after = page[len(page)-1].ID
			}
			if len(tags) != 5 || tags[4].Name != "4.ics" || tags[4].ETag == "" || tags[4].Component != "VEVENT" {
				t.Errorf("tags: %+v", tags)
			}
			spanning, err := tx.SpanningAfter(account, calendar, day.Unix(), day.Unix()+60, ids[0], 10)
			if err != nil || len(spanning) != 3 {
				t.Errorf("spanning: %v, %v", spanning, err)
			}
			return nil
		})
	})
}
