// The health check of the single-node replica set: initiates it once, then says whether it takes writes.
const member = { _id: 0, host: "mongodb:27017" };
if (!db.hello().setName) {
  rs.initiate({ _id: "rs0", members: [member] });
}
quit(db.hello().isWritablePrimary ? 0 : 1);
