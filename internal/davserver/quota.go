package davserver

import (
	"strconv"

	"github.com/convene-cal/convene/caldav"
)

// quotaProperties are those of RFC 4331 3, 4; without a limit there is no
// DAV:quota-available-bytes.
var quotaProperties = []property{
	{name: caldav.D("quota-used-bytes"), where: home, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		if !q.acts(r.owner.ID) {
			return false, nil
		}
		used, _, err := q.s.calendar.Usage(q.ctx, r.owner.ID)
		if err != nil {
			return false, err
		}
		return text(x, strconv.FormatInt(used, 10), false)
	}},
	{name: caldav.D("quota-available-bytes"), where: home, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		if q.s.calendar.Limits().Quota <= 0 || !q.acts(r.owner.ID) {
			return false, nil
		}
		used, limit, err := q.s.calendar.Usage(q.ctx, r.owner.ID)
		if err != nil {
			return false, err
		}
		return text(x, strconv.FormatInt(max(limit-used, 0), 10), false)
	}},
}
