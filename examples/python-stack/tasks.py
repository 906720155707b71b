from hullwright.tasks import collection

ns = collection()
