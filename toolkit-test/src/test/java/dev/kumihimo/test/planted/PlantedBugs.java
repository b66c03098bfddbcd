package dev.kumihimo.test.planted;

import dev.kumihimo.test.planted.PlantedBug.Scenario;
import java.util.List;

/**
 * All of them. The seeds and bounds are what {@link PlantedBugsTest#main} prints: a change to the order in which a seed
 * chooses, or to the points of what a scenario uses, makes new ones.
 */
final class PlantedBugs {
    private PlantedBugs() {}

    private static PlantedBug bug(String name, long seed, int schedules, int bound, Scenario scenario) {
        return new PlantedBug(name, seed, schedules, bound, scenario);
    }

    // spotless:off: one line each
    static final List<PlantedBug> ALL = List.of(
            bug("the permit of a cancelled waiter is dropped", 2, 500, 1, BrokenWaits::permitOfACancelledWaiterDropped),
            bug("a close wakes one of all", 4, 500, 1, BrokenWaits::closeWakesOne),
            bug("looks, then parks, and does not look again", 5, 500, 2, BrokenWaits::looksThenParks),
            bug("a timer fires after its cancel", 5, 500, 1, BrokenStates::timerFiresAfterItsCancel),
            bug("a select commits two arms", 15, 500, 0, BrokenWaits::selectCommitsTwoArms),
            bug("a lag is counted one too high", 0, 500, 0, BrokenSums::lagCountedOneTooHigh),
            bug("a cancelled writer at the head holds readers up", 3, 500, 0, BrokenWaits::cancelledWriterHoldsReadersUp),
            bug("a value is lost when its receiver is cancelled after the hand-off", 0, 500, 1, BrokenWaits::valueLostOnCancelAfterHandOff),
            bug("a barrier is used again too soon", 0, 500, 0, BrokenStates::barrierReusedTooSoon),
            bug("a scope closes before its last child has ended", 1, 500, 0, BrokenStates::scopeClosesBeforeItsLastChild),
            bug("two unparks are taken for two", 2, 500, 0, BrokenWaits::twoUnparksTakenForTwo),
            bug("a shutdown loses a queued job", 2, 500, 0, BrokenStates::shutdownLosesAQueuedJob),
            bug("an interrupt is swallowed", 0, 500, 0, BrokenWaits::interruptSwallowed),
            bug("a hand-off is out of order", 1, 500, 1, BrokenWaits::handOffOutOfOrder),
            bug("a node is used again under a pop", 20, 2000, 2, BrokenWaits::nodeReusedUnderAPop),
            bug("there is no loop around the park", 16, 500, 1, BrokenWaits::noLoopAroundThePark),
            bug("a join returns before the failure is published", 1, 500, 1, BrokenStates::joinBeforeTheFailureIsPublished),
            bug("a watch misses the last value", 0, 500, 2, BrokenStates::watchMissesTheLastValue),
            bug("notifications add up", 0, 500, 0, BrokenStates::ringsAddUp),
            bug("a length overflows", 0, 500, 0, BrokenSums::lengthOverflows),
            bug("a long step skips a cascade", 0, 500, 0, BrokenSums::cascadeSkipped),
            bug("a continuation is refused", 1, 500, 0, BrokenStates::continuationRefused),
            bug("the child of a cancelled token lives", 5, 500, 2, BrokenStates::childOfACancelledTokenLives),
            bug("a drain forgets the half closed", 1, 500, 1, BrokenStates::drainForgetsTheHalfClosed),

            bug("user: an update is lost across a wait", 0, 500, 1, UserBugs::lostUpdateAcrossAWait),
            bug("user: half a transfer is seen", 17, 500, 1, UserBugs::halfATransferSeen),
            bug("user: a channel is checked, then received from", 0, 500, 1, UserBugs::checkThenReceive),
            bug("user: two locks in two orders", 0, 500, 1, UserBugs::locksInTwoOrders),
            bug("user: permits are taken one by one", 0, 500, 1, UserBugs::permitsTakenOneByOne),
            bug("user: a signal is missed", 1, 500, 1, UserBugs::signalMissed),
            bug("user: closed twice", 0, 500, 1, UserBugs::closedTwice),
            bug("user: loaded twice", 0, 500, 1, UserBugs::loadedTwice),
            bug("user: an item is lost in a cancelled region", 8, 500, 0, UserBugs::itemLostInACancelledRegion),
            bug("user: one end for two consumers", 0, 500, 0, UserBugs::oneEndForTwo),
            bug("user: the first producer closes for both", 4, 500, 0, UserBugs::closedByTheFirstProducer));
    // spotless:on
}
