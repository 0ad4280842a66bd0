"""An HR API: evaluations, leaves (congés), attendance photos and notifications, with the slow work on queues."""
