using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Bundles;

/// <summary>What is said of a bundle that cannot be had, wherever it was looked for.</summary>
internal static class BundleErrors
{
    /// <summary>It is at none of the places where it should be.</summary>
    /// <param name="hash">The bundle's.</param>
    /// <param name="nowhere">Where it is not, as a sentence without its full stop.</param>
    /// <param name="inner">How that was found; null: nothing failed.</param>
    public static BundleException Missing(string hash, string nowhere, Exception? inner = null) =>
        new(
            $"Bundle {BundleSpec.Shorten(hash)} is not in the store any more: {nowhere}. "
                + "Submit the task once more from the same files: that brings the bundle again.",
            inner
        );

    /// <summary>It is not what was put there.</summary>
    /// <param name="hash">The bundle's.</param>
    /// <param name="place">Where it is.</param>
    /// <param name="inner">What is wrong with it.</param>
    public static BundleException Damaged(string hash, string place, BundleException inner) =>
        new(
            $"Bundle {BundleSpec.Shorten(hash)} is damaged in the store: {inner.Message.TrimEnd('.')}. "
                + $"Remove {place} and submit the task once more: that brings the bundle again.",
            inner
        );
}
