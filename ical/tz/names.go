package tz

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// ErrUnknown is wrapped by the error for a name that no rule resolves.
var ErrUnknown = errors.New("tz: unknown time zone")

// Load finds a zone by an IANA name in any case, a name that contains one
// ("/mozilla.org/20050126_1/Europe/Berlin"), a Windows name, a display name of
// Outlook or Lotus Notes, a list of cities, or a fixed offset ("UTC+05:30"). It
// reads nothing but the data embedded here. The error wraps ErrUnknown.
func Load(name string) (*Zone, error) {
	z, _, err := load(name)
	return z, err
}

// maxName bounds what is looked at of a TZID.
const maxName = 255

// load also tells whether the zone was guessed: found by a likeness rather
// than by a name that means it.
func load(name string) (z *Zone, guessed bool, err error) {
	if len(name) <= maxName {
		if iana, guessed := resolve(name); iana != "" {
			z, err := loadIANA(iana)
			return z, guessed, err
		}
		if seconds, ok := fixedOffset(name); ok {
			return fixed(seconds), true, nil
		}
	}
	return nil, false, fmt.Errorf("%w: %.80q", ErrUnknown, name)
}

func loadIANA(name string) (*Zone, error) {
	if z, ok := loaded.Load(name); ok {
		return z.(*Zone), nil
	}
	entry, ok := find(name)
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	if z, ok := loaded.Load(entry.name); ok {
		return z.(*Zone), nil
	}
	z, err := parseTZif(entry.name, entry.data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", entry.name, err)
	}
	kept, _ := loaded.LoadOrStore(entry.name, z)
	return kept.(*Zone), nil
}

// fixed is a zone of one offset.
func fixed(seconds int) *Zone {
	if seconds == 0 {
		return UTC
	}
	// Where IANA has the zone, its name is of use to others; its sign is the
	// other way round (Etc/GMT-5 is five hours ahead of Greenwich).
	if seconds%3600 == 0 {
		if z, err := loadIANA(fmt.Sprintf("Etc/GMT%+d", -seconds/3600)); err == nil {
			return z
		}
	}
	name := "UTC" + offsetText(seconds)
	return newZone(name, period{offset: int32(seconds), name: name}, nil, nil)
}

// offsetText is +05:30, or with seconds +05:30:10.
func offsetText(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	text := fmt.Sprintf("%c%02d:%02d", sign, seconds/3600, seconds/60%60)
	if seconds%60 != 0 {
		text += fmt.Sprintf(":%02d", seconds%60)
	}
	return text
}

// resolve gives the IANA name that a TZID means, "" when it means none.
func resolve(tzid string) (iana string, guessed bool) {
	name := strings.Trim(strings.TrimSpace(tzid), `"`)
	if !utf8.ValidString(name) {
		name = strings.ToValidUTF8(name, "?")
	}
	// Backslashes before commas and semicolons come from producers that treat
	// the parameter as TEXT.
	name = strings.ReplaceAll(name, `\`, "")
	if z, ok := find(name); ok {
		return z.name, false
	}
	if iana := containedName(name); iana != "" {
		return iana, false
	}
	tables := nameTables()
	for _, form := range windowsForms(name) {
		if iana, ok := tables.windows[form]; ok {
			return iana, false
		}
	}
	key := squeeze(withoutOffset(name))
	if iana, ok := displayNames[key]; ok {
		return iana, false
	}
	if iana, ok := tables.squeezed[squeeze(strings.TrimPrefix(name, "TZID="))]; ok {
		return iana, true
	}
	return cityName(name), true
}

// containedName finds the longest end of a name with slashes that is an IANA
// name: /freeassociation.sourceforge.net/Tzfile/Europe/Berlin. One without a
// slash of its own (/citadel.org/20211207_1/CET) only counts behind a slash at
// the front, which marks a name of a global registry (RFC 5545 3.2.19).
func containedName(name string) string {
	for rest := name; ; {
		_, after, ok := strings.Cut(rest, "/")
		if !ok || !strings.Contains(after, "/") && (name[0] != '/' || strings.Count(name, "/") < 3) {
			return ""
		}
		if z, ok := find(after); ok {
			return z.name
		}
		rest = after
	}
}

// windowsForms are the spellings under which a name may be in the table of
// Windows names: as it is, without Exchange's number at the end, standard for
// daylight, with the words that some leave away, and without what follows a
// colon.
func windowsForms(name string) []string {
	name = strings.ToLower(name)
	if before, _, ok := strings.Cut(name, ":"); ok {
		name = before
	}
	whole := name // "Russia Time Zone 3" keeps its number
	name = strings.TrimSpace(strings.TrimRight(name, "0123456789"))
	return []string{whole, name, strings.Replace(name, " daylight time", " standard time", 1), name + " standard time", name + " time"}
}

// squeeze leaves the letters and digits, in lower case.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '+' {
			return unicode.ToLower(r)
		}
		return -1
	}, strings.ReplaceAll(s, "&", "and"))
}

// withoutOffset takes "(UTC-05:00)" or "(GMT-05.00)" from the front.
func withoutOffset(name string) string {
	if strings.HasPrefix(name, "(") {
		if _, after, ok := strings.Cut(name, ")"); ok && strings.TrimSpace(after) != "" {
			return strings.TrimSpace(after)
		}
	}
	return name
}

type lookupTables struct {
	windows, squeezed, cities map[string]string
}

// nameTables are made once from the embedded data and never change.
var nameTables = sync.OnceValue(func() lookupTables {
	t := lookupTables{map[string]string{}, map[string]string{}, map[string]string{}}
	for _, w := range windowsZones {
		t.windows[strings.ToLower(w.windows)] = w.iana
	}
	for _, name := range Names() {
		if !strings.Contains(name, "/") {
			continue
		}
		// Damage seen in real data: underscores or hyphens for slashes, blanks
		// for underscores, "3D" left over from quoted-printable.
		t.squeezed[squeeze(name)] = name
		t.squeezed["3d"+squeeze(name)] = name
		region, city := name[:strings.Index(name, "/")], name[strings.LastIndex(name, "/")+1:]
		if slices.Contains(cityRegions, region) && len(city) > 3 {
			// Of several, the one that is not a link of old: those with fewer parts.
			if old, ok := t.cities[squeeze(city)]; !ok || strings.Count(name, "/") < strings.Count(old, "/") {
				t.cities[squeeze(city)] = name
			}
		}
	}
	return t
})

// cityRegions are the parts of the database whose zones are named for places.
var cityRegions = []string{"Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}

// cityName guesses by the cities of a display name such as "(UTC+05:30)
// Chennai, Kolkata, Mumbai, New Delhi" or "Germany/Berlin": the first that IANA
// names a zone for and whose standard time is the offset, when one is told.
func cityName(name string) string {
	offset, told := fixedOffset(name)
	if told && name == withoutOffset(name) {
		return ""
	}
	for _, city := range strings.FieldsFunc(withoutOffset(name), func(r rune) bool { return strings.ContainsRune(",;/:", r) }) {
		iana, ok := nameTables().cities[squeeze(city)]
		if !ok {
			continue
		}
		z, err := loadIANA(iana)
		if err != nil || told && !z.standardIs(offset) {
			continue
		}
		return iana
	}
	return ""
}

// standardIs tells whether the zone's present standard time has this offset.
func (z *Zone) standardIs(seconds int) bool {
	last := z.periods[len(z.periods)-1]
	before := last
	if n := len(z.periods); n > 1 {
		before = z.periods[n-2]
	}
	return int(last.offset) == seconds || int(before.offset) == seconds
}

// fixedOffset reads the offset in names such as "UTC+05:30", "(GMT -03.00) Brasilia",
// "GMT+0100", "+01:00". A name with two offsets (standard and daylight) has none.
func fixedOffset(name string) (seconds int, ok bool) {
	s := strings.ToUpper(strings.Trim(strings.TrimSpace(name), `"`))
	if rest, found := strings.CutPrefix(s, "("); found {
		s, _, _ = strings.Cut(rest, ")")
	}
	for _, prefix := range []string{"UTC", "GMT"} {
		s = strings.TrimPrefix(s, prefix)
	}
	s = strings.ReplaceAll(strings.TrimSpace(s), " ", "")
	if s == "" || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	sign := 1
	if s[0] == '-' {
		sign = -1
	}
	s = strings.NewReplacer(":", "", ".", "").Replace(s[1:])
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || len(s) > 4 {
		return 0, false
	}
	if len(s) <= 2 {
		n *= 100
	}
	if n/100 > 14 || n%100 > 59 {
		return 0, false
	}
	return sign * (n/100*3600 + n%100*60), true
}
