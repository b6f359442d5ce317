package acl_test

import (
	"fmt"

	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/store"
)

func ExampleDecide() {
	ann, bob := store.AccountID(1), store.AccountID(2)
	fmt.Println(acl.Decide(acl.Question{Who: ann, Owner: ann, Kind: store.Calendar}))
	fmt.Println(acl.Decide(acl.Question{Who: bob, Owner: ann, Kind: store.Calendar}))
	fmt.Println(acl.Decide(acl.Question{Who: bob, Owner: ann, Kind: store.Calendar, Share: acl.Read}))
	// Output:
	// own
	// freebusy
	// read
}
