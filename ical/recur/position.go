package recur

import "slices"

// setPositions are the numbers of BYSETPOS, sorted, so that a period costs what
// is taken of it, however long the list.
type setPositions struct {
	front []int32 // from 1
	back  []int32 // from the end, without their sign
}

func newSetPositions(list []int) setPositions {
	var s setPositions
	for _, n := range list {
		if n < 0 {
			s.back = append(s.back, int32(-n))
		} else {
			s.front = append(s.front, int32(n))
		}
	}
	slices.Sort(s.front)
	slices.Sort(s.back)
	s.front, s.back = slices.Compact(s.front), slices.Compact(s.back)
	return s
}

func (s *setPositions) none() bool { return len(s.front)+len(s.back) == 0 }

// of gives the indexes, in order and once each, that are taken of a set of n
// members.
func (s *setPositions) of(n int, buf []int) []int {
	buf = buf[:0]
	for _, at := range s.front {
		if int(at) > n {
			break
		}
		buf = append(buf, int(at)-1)
	}
	fronts := len(buf)
	for _, at := range s.back {
		if int(at) > n {
			break
		}
		buf = append(buf, n-int(at))
	}
	if len(buf) > fronts {
		slices.Sort(buf)
		buf = slices.Compact(buf)
	}
	return buf
}
