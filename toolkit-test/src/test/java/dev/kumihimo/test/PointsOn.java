package dev.kumihimo.test;

import dev.kumihimo.internal.wait.Points;

/** Prints whether there are points, and uses nothing of the kit. */
final class PointsOn {
    private PointsOn() {}

    public static void main(String[] args) {
        System.out.println("points " + Points.ON);
    }
}
