package calendar

import (
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/store"
)

// zoneOf is the zone of a calendar's floating times: its own, else its
// owner's, else UTC.
func (s *Service) zoneOf(tx *store.Tx, c store.Collection) (*tz.Zone, error) {
	if c.TimeZone != "" {
		if cal, err := ical.Parse([]byte(c.TimeZone)); err == nil {
			for _, v := range cal.Components {
				if v.Name != "VTIMEZONE" {
					continue
				}
				if z, err := tz.Load(v.Text("TZID")); err == nil {
					return z, nil
				}
				if z, err := tz.FromComponent(v); err == nil {
					return z, nil
				}
			}
		}
	}
	owner, err := tx.Account(c.Account)
	if err != nil {
		return nil, fmt.Errorf("owner of calendar %s: %w", c.Name, err)
	}
	return accountZone(owner), nil
}

// accountZone is a person's own zone, UTC when there is none.
func accountZone(a store.Account) *tz.Zone {
	if a.TimeZone != "" {
		if z, err := tz.Load(a.TimeZone); err == nil {
			return z
		}
	}
	return tz.UTC
}
