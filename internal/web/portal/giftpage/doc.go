// Package giftpage has the pages of one recurring gift, with what its donor can change and the way to another card, and of
// one annual statement. It renders what package portal found, in a session or by the link of an email, and decides
// nothing.
package giftpage
