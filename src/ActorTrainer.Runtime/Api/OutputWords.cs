using System.Globalization;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Runtime.Api;

/// <summary>What is said of output that cannot be shown.</summary>
internal static class OutputWords
{
    /// <summary>Between two places more was printed than is kept.</summary>
    public static string NotKept(int run, long from, long to) =>
        Text($"{Bytes(from, to)} of run {run} are not kept: it printed more than worker.log-max-size");

    /// <summary>A piece of the store is damaged.</summary>
    public static string Damaged(int run, long from, long to, string problem) =>
        Text($"{Bytes(from, to)} of run {run} cannot be shown: {problem}");

    /// <summary>The node had more than the store has of it, and is gone.</summary>
    /// <param name="run">The run.</param>
    /// <param name="node">Its node.</param>
    /// <param name="at">Up to when the store has what it printed; null: it has nothing.</param>
    /// <param name="where">What has become of the node.</param>
    public static string Lost(int run, NodeAddress node, DateTimeOffset? at, string where) =>
        at is { } known
            ? Text($"what run {run} printed after {known.ToUniversalTime():yyyy-MM-dd HH:mm:ss} UTC is missing: {Last(node, where)}")
            : Text($"the output of run {run} is missing: {Last(node, where)}");

    /// <summary>The node is not a member.</summary>
    public const string Gone = "which is not in the cluster, and it was not in the store yet";

    /// <summary>The node is a member and has lost its data directory.</summary>
    public const string Emptied = "which does not have it any more, and it was not in the store yet";

    /// <summary>The node is a member and is silent.</summary>
    public const string Silent = "which does not answer now";

    private static string Last(NodeAddress node, string where) => $"it was on node {node}, {where}";

    private static string Bytes(long from, long to) => Text($"bytes {from} to {to} of the output");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
