package dev.kumihimo.test.matrix;

/**
 * Where the event strikes.
 *
 * @param path whose path it is on
 * @param point the number of the point there
 * @param peerPoint where the peer is then, if that is told
 * @param victimFirst who runs on first then, the victim or the peer
 */
record Strike(Path path, long point, long peerPoint, boolean victimFirst) {
    enum Path {
        /** The victim is at a point of its path: the whole of it, up to its end. */
        VICTIM,
        /** The victim waits, and the peer is at a point of its path; behind its last, the victim is served and not resumed. */
        PEER,
        /** As PEER, and the peer leaves off one turn before it would have served the victim. */
        PEER_STOPS_SHORT,
        /** The victim was struck while it waited, and is at a point of its retreat when the peer comes. */
        RETREAT,
        /** The victim was struck while it waited, and is at a point of its retreat, and the peer at one of its path. */
        RETREAT_BOTH,
        /** The victim is at a point before it waits, and the peer at one of its path. */
        BOTH;

        boolean isOfTwo() {
            return this == BOTH || this == RETREAT_BOTH;
        }
    }

    @Override
    public String toString() {
        return path + " at point " + point + (peerPoint > 0 ? " and peer at point " + peerPoint : "") + ", then the "
                + (victimFirst ? "victim" : "peer") + " first";
    }
}
