package store

import (
	"cmp"
	"database/sql"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"
)

// Index says when an object takes place, for ObjectsInRange. Times are unix
// seconds UTC; objects with floating times or dates are widened by 14 hours on
// either side by the writer.
type Index struct {
	First, Last int64   // span of all occurrences; Last is math.MaxInt64 for an endless series
	Periods     []int32 // recurring objects: the months (year*12+month-1) touched from First up to Horizon; nil for a single occurrence
	Horizon     int64   // recurring: instants before it are covered by Periods; from it on the object always matches; 0 for a single occurrence
	Timeless    bool    // no time at all (a VTODO without dates): matches every range
	Unlisted    bool    // an item of the scheduling inbox: who asks for a range there, which is rare, has the whole inbox read

	// Known is what the caller knows for certain of the object beyond that, in
	// numbers of its own, 0 for nothing; with HasPattern there is a Pattern, too.
	Known   int64
	Pattern string
}

// Occupant is an object of the time index.
type Occupant struct {
	ID          int64
	First, Last int64 // as in Index; the whole of time for a timeless one
	Known       int64
}

func scanOccupant(r *sql.Rows, o *Occupant) error { return r.Scan(&o.ID, &o.First, &o.Last, &o.Known) }

// The time index is a segment tree over months. A run of months is covered by
// few aligned blocks of 1, 4, 16, ... months, one row each; a month is looked
// up in the one block of each size that contains it. A weekly series of six
// years takes about eight rows instead of 72, and what a month's look-up reads
// is what takes place in that month.
//
// A row's period is level*levelStride + the block's number; two more regions
// of numbers hold objects without time and objects beyond their horizon.
const (
	levels      = 6 // blocks of 1, 4, 16, 64, 256, 1024 months
	blockBits   = 2 // each level's block is four of the level below
	levelStride = 1_000_000
	timelessAt  = 9_000_000
	horizonAt   = 10_000_000
	lastMonth   = 9999*12 + 11 // RFC 5545 3.3.4: a year has four digits
	wideRange   = 240          // months from which a query reads the collection instead
)

// month is the number of the month of an instant, kept within years 0 to 9999.
func month(unix int64) int32 {
	const year9999 = 253402300799 // 9999-12-31T23:59:59Z
	t := time.Unix(min(max(unix, -62167219200), year9999), 0).UTC()
	return int32(t.Year()*12 + int(t.Month()) - 1)
}

// endless reports whether occurrences beyond the horizon are not in Periods.
func (x Index) endless() bool { return !x.Timeless && x.Horizon != 0 && x.Last >= x.Horizon }

func (x Index) horizon() int64 {
	if x.endless() && !x.Unlisted {
		return x.Horizon
	}
	return 0
}

// cover is periods as the argument of numbers(), unlisted where there are no rows.
func (x Index) cover() string {
	if x.Unlisted && !x.Timeless {
		return unlisted
	}
	return numbers(x.periods())
}

const unlisted = ""

// as keeps an object unlisted that was.
func (x Index) as(cover string) Index {
	x.Unlisted = x.Unlisted || cover == unlisted
	return x
}

// periods lists the periods of an object's rows.
func (x Index) periods() []int32 {
	if x.Timeless {
		return []int32{timelessAt}
	}
	var list []int32
	if x.Periods == nil && !x.endless() {
		list = appendRun(list, month(x.First), month(x.Last))
	} else {
		months := slices.Clone(x.Periods)
		slices.Sort(months)
		for i := 0; i < len(months); {
			j := i
			for j+1 < len(months) && months[j+1] <= months[j]+1 {
				j++
			}
			list = appendRun(list, months[i], months[j])
			i = j + 1
		}
		if x.endless() {
			list = append(list, horizonAt+month(x.Horizon))
		}
	}
	return list
}

// appendRun covers the months from..to by the largest aligned blocks.
func appendRun(list []int32, from, to int32) []int32 {
	from, to = max(from, 0), min(to, lastMonth)
	for from <= to {
		level := 0
		for level+1 < levels {
			size := int32(1) << (blockBits * (level + 1))
			if from%size != 0 || from+size-1 > to {
				break
			}
			level++
		}
		list = append(list, int32(level)*levelStride+from>>(blockBits*level))
		from += 1 << (blockBits * level)
	}
	return list
}

// periodRange is an inclusive range of period numbers.
type periodRange struct{ low, high int32 }

// rangesOf lists which rows to read for the months from..to: the blocks of
// each level that meet them, the timeless, and those past their horizon.
func rangesOf(from, to int32) [levels + 2]periodRange {
	var r [levels + 2]periodRange
	for l := range levels {
		base := int32(l) * levelStride
		r[l] = periodRange{base + from>>(blockBits*l), base + to>>(blockBits*l)}
	}
	r[levels] = periodRange{timelessAt, timelessAt}
	r[levels+1] = periodRange{horizonAt, horizonAt + to}
	return r
}

// span is what the rows hold beside the period: occurrences lie within it.
func (x Index) span() (first, last int64) {
	if x.Timeless {
		return math.MinInt64, math.MaxInt64
	}
	return x.First, x.Last
}

func (tx *Tx) occupy(account AccountID, collection, object int64, x Index) error {
	if x.cover() == unlisted {
		return nil
	}
	first, last := x.span()
	var err error
	if list := x.periods(); len(list) == 1 { // as nearly always
		_, err = tx.exec(`insert into occupancy (account, collection, period, object, first, last, known) values ($1, $2, $3, $4, $5, $6, $7)`,
			account, collection, int64(list[0]), object, first, last, x.Known)
	} else {
		_, err = tx.exec(`insert into occupancy (account, collection, period, object, first, last, known)
			select cast($1 as bigint), cast($2 as bigint), value, cast($3 as bigint), cast($4 as bigint), cast($5 as bigint), cast($7 as bigint) from numbers($6)`,
			account, collection, object, first, last, numbers(list), x.Known)
	}
	if err != nil {
		return fmt.Errorf("index its time: %w", err)
	}
	return nil
}

func (tx *Tx) vacate(account AccountID, collection, object int64, cover string) error {
	if cover == unlisted {
		return nil
	}
	_, err := tx.exec(`delete from occupancy where account = $1 and collection = $2 and object = $3
		and period oneof($4)`, account, collection, object, cover)
	if err != nil {
		return fmt.Errorf("remove it from the time index: %w", err)
	}
	return nil
}

// SetIndex replaces an object's place in the time index; the object itself
// does not change.
func (tx *Tx) SetIndex(account AccountID, id int64, x Index) error {
	var collection, known int64
	var old string
	found, err := tx.row([]any{&collection, &old, &known}, `select collection, cover, known from object where account = $1 and id = $2`, account, id)
	if err != nil {
		return err
	}
	if !found {
		return notFound("object %d", id)
	}
	x = x.as(old)
	cover := x.cover()
	if _, err := tx.exec(`update object set first = $4, last = $5, horizon = $6, cover = $7, known = $8 where account = $1 and collection = $2 and id = $3`,
		account, collection, id, x.First, x.Last, x.horizon(), cover, x.Known); err != nil {
		return err
	}
	if err := tx.setPattern(account, id, known, x); err != nil {
		return err
	}
	if err := tx.vacate(account, collection, id, old); err != nil {
		return err
	}
	return tx.occupy(account, collection, id, x)
}

// StaleHorizons lists up to limit endless objects whose horizon lies before an
// instant, the earliest first: their index wants to be written anew.
func (tx *Tx) StaleHorizons(before int64, limit int) ([]Object, error) {
	return collect(tx, scanObject, `select `+objectColumns+` from object o where o.horizon > 0 and o.horizon < $1 order by o.horizon limit $2`,
		before, unlimited(limit))
}

// occupying reads the rows of the ranges, one after the
// other: $1 account, $2 collection, $3 and $4 the time, then the ranges.
var occupying = func() string {
	var parts []string
	for i := range levels + 2 {
		parts = append(parts, fmt.Sprintf(`select y.object, y.first, y.last, y.known from occupancy y where y.account = $1 and y.collection = $2
			and y.period between $%d and $%d and y.first <= $4 and y.last >= $3`, 2*i+5, 2*i+6))
	}
	return strings.Join(parts, " union all ")
}()

// ObjectsInRange goes through the objects of some collections that may take
// place in the closed range from..to (unix seconds; math.MinInt64 and
// math.MaxInt64 leave it open), optionally of one component only. It gives
// every object that does, and beside them recurring ones that do so in the
// same month or, beyond their horizon, may do so at all: the caller expands.
// Each object comes once, in no special order. tx may be used within the loop.
func (tx *Tx) ObjectsInRange(account AccountID, collections []int64, component string, from, to int64) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		if from > to {
			return
		}
		a, b := month(from), month(to)
		for _, collection := range collections {
			whole, err := tx.wholly(account, collection, a, b)
			if err != nil {
				yield(Object{}, err)
				return
			}
			read := tx.occupying
			if whole {
				read = tx.spanning
			}
			if !read(account, collection, component, from, to, yield) {
				return
			}
		}
	}
}

// Occupying lists the objects of a collection that may take place in the
// closed range from..to, ascending: what ObjectsInRange goes through, where the
// range is not so wide that all of the collection would do, and it is no inbox.
func (tx *Tx) Occupying(account AccountID, collection, from, to int64) (list []Occupant, narrow bool, err error) {
	if from > to {
		return nil, true, nil
	}
	if whole, err := tx.wholly(account, collection, month(from), month(to)); whole || err != nil {
		return nil, false, err
	}
	list, err = tx.occupants(account, collection, from, to)
	return list, true, err
}

// wholly reports whether a collection is read as a whole for some months.
func (tx *Tx) wholly(account AccountID, collection int64, from, to int32) (bool, error) {
	if to-from >= wideRange {
		return true, nil
	}
	var one int
	inbox, err := tx.row([]any{&one}, `select 1 from collection where account = $1 and id = $2 and kind = 'inbox'`, account, collection)
	return inbox, err
}

// SpanningAfter lists objects whose occurrences span some of a closed range, at
// most limit, those after one: for ranges in which most do.
func (tx *Tx) SpanningAfter(account AccountID, collection, from, to, after int64, limit int) ([]Occupant, error) {
	return collect(tx, scanOccupant, `select o.id, o.first, o.last, o.known from object o where o.account = $1 and o.collection = $2 and o.id > $3
		and ((o.first <= $5 and o.last >= $4) or o.cover = $6) order by o.id limit $7`,
		account, collection, after, from, to, Index{Timeless: true}.cover(), limit)
}

func (tx *Tx) occupants(account AccountID, collection, from, to int64) ([]Occupant, error) {
	args := []any{account, collection, from, to}
	for _, r := range rangesOf(month(from), month(to)) {
		args = append(args, int64(r.low), int64(r.high))
	}
	list, err := collect(tx, scanOccupant, occupying, args...)
	if err != nil {
		return nil, fmt.Errorf("look up time range: %w", err)
	}
	slices.SortFunc(list, func(a, b Occupant) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(list, func(a, b Occupant) bool { return a.ID == b.ID }), nil
}

func (tx *Tx) occupying(account AccountID, collection int64, component string, from, to int64, yield func(Object, error) bool) bool {
	list, err := tx.occupants(account, collection, from, to)
	if err != nil {
		return yield(Object{}, err)
	}
	ids := make([]int64, len(list))
	for i, o := range list {
		ids[i] = o.ID
	}
	for chunk := range slices.Chunk(ids, listPage) {
		page, err := collect(tx, scanObject, `select `+objectColumns+` from object o where o.account = $1 and o.collection = $2 and o.id oneof($3)`,
			account, collection, numbers(chunk))
		if err != nil {
			return yield(Object{}, fmt.Errorf("look up time range: %w", err))
		}
		for _, o := range page {
			if component != "" && o.Component != component {
				continue
			}
			if !yield(o, nil) {
				return false
			}
		}
	}
	return true
}

// spanning reads a whole collection: for wide ranges most of it matches.
func (tx *Tx) spanning(account AccountID, collection int64, component string, from, to int64, yield func(Object, error) bool) bool {
	var after int64
	for {
		page, err := collect(tx, scanObject, `select `+objectColumns+` from object o where o.account = $1 and o.collection = $2 and o.id > $3
			and ((o.first <= $5 and o.last >= $4) or o.cover = $6) order by o.id limit $7`,
			account, collection, after, from, to, Index{Timeless: true}.cover(), listPage)
		if err != nil {
			return yield(Object{}, fmt.Errorf("look up time range: %w", err))
		}
		for _, o := range page {
			if component != "" && o.Component != component {
				continue
			}
			if !yield(o, nil) {
				return false
			}
		}
		if len(page) < listPage {
			return true
		}
		after = page[len(page)-1].ID
	}
}

// RenewIndex is SetIndex that writes only what is not so already.
func (tx *Tx) RenewIndex(account AccountID, id int64, x Index) error {
	var first, last, known int64
	var cover string
	found, err := tx.row([]any{&first, &last, &cover, &known}, `select first, last, cover, known from object where account = $1 and id = $2`, account, id)
	if err != nil {
		return err
	}
	if !found {
		return notFound("object %d", id)
	}
	x = x.as(cover)
	if first == x.First && last == x.Last && cover == x.cover() && known == x.Known {
		return tx.setPattern(account, id, known, x)
	}
	return tx.SetIndex(account, id, x)
}

// ResetIndex is SetIndex for an index that may be wrong: rows that the object
// does not know of go too.
func (tx *Tx) ResetIndex(account AccountID, id int64, x Index) error {
	if _, err := tx.exec(`delete from occupancy where account = $1 and object = $2 and collection in
		(select collection from object where account = $1 and id = $2)`, account, id); err != nil {
		return fmt.Errorf("remove it from the time index: %w", err)
	}
	return tx.SetIndex(account, id, x)
}
