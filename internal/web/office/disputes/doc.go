// Package disputes serves disputes and inquiries of payments to staff: the list, the page of one, and the document of what is
// known about its gift, to be uploaded at the payment processor as evidence.
package disputes
