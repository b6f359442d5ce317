package tz

import (
	_ "embed" // the zone data
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"time"
)

// packed is our copy of the IANA time zone database (public domain), written by
// the test TestPackedZones from the zone files that come with Go:
//
//	"zoneinfo " version "\n", names as a 4-octet count, then for each, sorted by
//	name in lower case: length of the name (1 octet), name, offset and length of
//	its TZif data (4 octets each, big endian), then the data. Zones with the
//	same data share it.
//
//go:embed zoneinfo.bin
var packed string

const packedMagic = "zoneinfo "

// Version is the version of the IANA data embedded here, for example "2025c".
func Version() string {
	line, _, _ := strings.Cut(packed, "\n")
	return strings.TrimPrefix(line, packedMagic)
}

// released is when versions of the data were published.
var released = map[string]time.Time{
	"2025c": time.Date(2025, 12, 10, 0, 0, 0, 0, time.UTC),
}

// Released is the day on which the data embedded here was published. There are
// some releases a year; after one without, clocks somewhere go otherwise.
func Released() time.Time { return released[Version()] }

type packedZone struct {
	lower, name string
	data        string
}

// index reads the table of contents once; it never changes afterwards.
var index = sync.OnceValue(func() []packedZone {
	_, rest, _ := strings.Cut(packed, "\n")
	number := func() int {
		n := binary.BigEndian.Uint32([]byte(rest[:4]))
		rest = rest[4:]
		return int(n)
	}
	type place struct{ from, length int }
	zones := make([]packedZone, number())
	places := make([]place, len(zones))
	for i := range zones {
		n := int(rest[0])
		zones[i].name = rest[1 : 1+n]
		zones[i].lower = strings.ToLower(zones[i].name)
		rest = rest[1+n:]
		places[i] = place{number(), number()}
	}
	for i, p := range places {
		zones[i].data = rest[p.from : p.from+p.length]
	}
	return zones
})

// find looks an IANA name up, in any case.
func find(name string) (packedZone, bool) {
	i, ok := slices.BinarySearchFunc(index(), strings.ToLower(name), func(z packedZone, n string) int {
		return strings.Compare(z.lower, n)
	})
	if !ok {
		return packedZone{}, false
	}
	return index()[i], true
}

// Names are the IANA names that Load knows, links among them, sorted.
func Names() []string {
	names := make([]string, len(index()))
	for i, z := range index() {
		names[i] = z.name
	}
	slices.Sort(names)
	return names
}
