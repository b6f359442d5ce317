package subscription

// Private is for tests.
var Private = private
