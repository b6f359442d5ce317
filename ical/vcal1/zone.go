package vcal1

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// home is the zone that TZ and DAYLIGHT describe, in which the local times of
// a calendar are read.
type home struct {
	tzid      string
	zone      *tz.Zone
	component *ical.Component // a VTIMEZONE that no database has, else nil
}

// daylight is a DAYLIGHT property: "TRUE;-04;begin;end;EST;EDT" (v§2.2.2).
type daylight struct {
	line          int
	observed      bool
	offset        int // seconds east of UTC while it lasts
	begin, end    ical.Time
	standard, dst string
}

// likelyZones are tried in this order for offsets and changes that several
// zones share: the one with most people first.
var likelyZones = [...]string{
	"Europe/Berlin", "Europe/London", "Europe/Helsinki", "Europe/Moscow", "Europe/Istanbul",
	"America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Anchorage", "America/Halifax", "America/St_Johns",
	"America/Mexico_City", "America/Sao_Paulo", "America/Santiago", "America/Asuncion", "America/Havana",
	"Asia/Jerusalem", "Asia/Beirut", "Asia/Amman", "Asia/Tehran", "Asia/Baku", "Asia/Yekaterinburg", "Asia/Novosibirsk", "Asia/Vladivostok",
	"Africa/Cairo", "Africa/Casablanca", "Africa/Windhoek",
	"Australia/Sydney", "Australia/Adelaide", "Australia/Hobart", "Australia/Perth", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham",
	"Atlantic/Azores", "America/Nuuk",
}

// parseOffset reads "-05", "0-5", "+05:30", "-0500", "5.5": seconds east.
func parseOffset(s string) (int, bool) {
	s = strings.TrimSpace(s)
	sign := 1
	if i := strings.IndexAny(s, "+-"); i >= 0 && strings.Trim(s[:i], "0") == "" {
		if s[i] == '-' {
			sign = -1
		}
		s = s[i+1:]
	}
	hours, minutes, found := strings.Cut(s, ":")
	if !found && len(s) > 2 && !strings.Contains(s, ".") {
		hours, minutes, found = s[:len(s)-2], s[len(s)-2:], true
	}
	if !found {
		h, err := strconv.ParseFloat(hours, 64)
		if err != nil || !(0 <= h && h <= 15) {
			return 0, false
		}
		return sign * int(h*60+0.5) * 60, true
	}
	h, errH := strconv.ParseUint(hours, 10, 8)
	m, errM := strconv.ParseUint(minutes, 10, 8)
	if errH != nil || errM != nil || h > 15 || m > 59 {
		return 0, false
	}
	return sign * int(h*3600+m*60), true
}

// parseDaylight reads the fields of a DAYLIGHT property.
func parseDaylight(l *line) (daylight, bool) {
	f := fields(l.value)
	d := daylight{line: l.number}
	if !strings.EqualFold(f[0], "TRUE") {
		return d, strings.EqualFold(f[0], "FALSE")
	}
	if len(f) < 4 {
		return d, false
	}
	var ok bool
	if d.offset, ok = parseOffset(f[1]); !ok {
		return d, false
	}
	var errBegin, errEnd error
	d.begin, errBegin = ical.ParseTime(f[2], "", false)
	d.end, errEnd = ical.ParseTime(f[3], "", false)
	if errBegin != nil || errEnd != nil {
		return d, false
	}
	if f = f[4:]; len(f) > 0 {
		d.standard = f[0]
	}
	if len(f) > 1 {
		d.dst = f[1]
	}
	d.observed = true
	return d, true
}

// homeZone makes the zone of a calendar from its TZ and DAYLIGHT properties.
// own is the reader's zone, preferred where it agrees; it may be nil.
func homeZone(standard int, known bool, days []daylight, own *tz.Zone, l *losses) *home {
	observed := days[:0:0]
	for _, d := range days {
		if d.observed {
			observed = append(observed, d)
		}
	}
	if !known && len(observed) == 0 {
		if own == nil {
			return nil
		}
		return homeIn(own)
	}
	if !known {
		standard = observed[0].offset - 3600
	}
	if len(observed) == 0 {
		// Without any DAYLIGHT nothing is said about the summer.
		if own != nil && len(days) == 0 && standardOffset(own) == standard {
			return homeIn(own)
		}
		return fixed(standard)
	}
	for i := range observed {
		// The format's own example has an offset that is an hour off.
		if o := observed[i].offset - standard; o == 0 || o == -3600 {
			observed[i].offset = standard + 3600
		}
	}
	if own != nil && agrees(own, standard, observed) {
		return homeIn(own)
	}
	for _, name := range likelyZones {
		if z, err := tz.Load(name); err == nil && agrees(z, standard, observed) {
			return homeIn(z)
		}
	}
	c := zoneComponent(standard, observed)
	z, err := tz.FromComponent(c)
	if err != nil {
		l.add(observed[0].line, "DAYLIGHT cannot be read as a time zone (%v); the offset of TZ is used for the whole year", err)
		return fixed(standard)
	}
	return &home{tzid: c.Text("TZID"), zone: z, component: c}
}

// fixed is a zone without changes.
func fixed(offset int) *home {
	if offset == 0 {
		return homeIn(tz.UTC)
	}
	name := "UTC" + offsetText(offset, ":")
	z, err := tz.Load(name)
	if err != nil {
		return nil
	}
	return &home{tzid: name, zone: z}
}

// homeIn is a zone of the database.
func homeIn(z *tz.Zone) *home { return &home{tzid: z.Name(), zone: z} }

// isUTC: the time in such a zone is written with a Z, not with a TZID.
func isUTC(z *tz.Zone) bool { return z.Name() == tz.UTC.Name() }

func offsetText(seconds int, colon string) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	return fmt.Sprintf("%c%02d%s%02d", sign, seconds/3600, colon, seconds/60%60)
}

// standardOffset is the smaller of the offsets of a year of our time.
func standardOffset(z *tz.Zone) int {
	_, january := z.Wall(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC))
	_, july := z.Wall(time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC))
	return min(january, july)
}

// agrees tells whether a zone has the offsets a day before and after each of
// the changes; the hour of the change is written in too many ways to compare.
func agrees(z *tz.Zone, standard int, days []daylight) bool {
	const day = 24 * time.Hour
	at := func(t ical.Time, d time.Duration) int {
		_, offset := z.Wall(t.Wall.Add(d))
		return offset
	}
	for _, d := range days {
		if at(d.begin, -day) != standard || at(d.begin, day) != d.offset || at(d.end, -day) != d.offset || at(d.end, day) != standard {
			return false
		}
	}
	return true
}

// zoneComponent writes the changes as a VTIMEZONE: those listed, and the last
// of them every year, on the same weekday of the month.
func zoneComponent(standard int, days []daylight) *ical.Component {
	c := ical.NewComponent("VTIMEZONE")
	c.Add(ical.NewText("TZID", fmt.Sprintf("vCalendar %s %s%s", offsetText(standard, ":"), days[len(days)-1].begin, days[len(days)-1].end)))
	for i, d := range days {
		last := i == len(days)-1
		c.Components = append(c.Components,
			observance("DAYLIGHT", d.dst, d.begin, standard, d.offset, last),
			observance("STANDARD", d.standard, d.end, d.offset, standard, last))
	}
	return c
}

func observance(kind, name string, onset ical.Time, from, to int, yearly bool) *ical.Component {
	wall := onset.Wall
	if onset.Kind == ical.UTC {
		wall = wall.Add(time.Duration(from) * time.Second)
	}
	if wall.Second() == 59 { // "until 01:59:59"
		wall = wall.Add(time.Second)
	}
	c := ical.NewComponent(kind)
	c.Add(ical.NewProperty("DTSTART", ical.Time{Wall: wall}.String()),
		ical.NewProperty("TZOFFSETFROM", offsetText(from, "")), ical.NewProperty("TZOFFSETTO", offsetText(to, "")))
	if name != "" {
		c.Add(ical.NewText("TZNAME", name))
	}
	if yearly {
		nth := (wall.Day() + 6) / 7
		if wall.AddDate(0, 0, 7).Month() != wall.Month() {
			nth = -1
		}
		r := recur.Rule{Freq: recur.Yearly, Interval: 1, ByMonth: []int{int(wall.Month())}, ByDay: []recur.WeekdayNum{{Ordinal: nth, Day: wall.Weekday()}}}
		c.Add(ical.NewProperty("RRULE", r.String()))
	}
	return c
}

// changes gives the DAYLIGHT properties of a zone for a year, none when its
// clocks do not change or change otherwise than twice.
func changes(z *tz.Zone, year int) (daylight, bool) {
	start, end := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC)
	var at []time.Time
	_, before := z.Wall(start)
	first := before
	for t := start; t.Before(end); t = t.Add(24 * time.Hour) {
		_, after := z.Wall(t.Add(24 * time.Hour))
		if after == before {
			continue
		}
		low, high := t, t.Add(24*time.Hour)
		for high.Sub(low) > time.Second {
			middle := low.Add(high.Sub(low) / 2).Truncate(time.Second)
			if _, o := z.Wall(middle); o == before {
				low = middle
			} else {
				high = middle
			}
		}
		at, before = append(at, high), after
	}
	if len(at) != 2 || before != first {
		return daylight{}, false
	}
	_, between := z.Wall(at[0])
	d := daylight{observed: true, offset: max(between, first), begin: ical.UTCTime(at[0]), end: ical.UTCTime(at[1])}
	standardAt, dstAt := start, at[0]
	if between < first { // the southern summer goes over the new year
		d.begin, d.end = d.end, d.begin
		standardAt, dstAt = at[0], start
	}
	d.standard, d.dst = z.Abbreviation(standardAt), z.Abbreviation(dstAt)
	return d, true
}

func (d daylight) String() string {
	return strings.Join([]string{"TRUE", offsetText(d.offset, ":"), d.begin.String(), d.end.String(), d.standard, d.dst}, ";")
}
