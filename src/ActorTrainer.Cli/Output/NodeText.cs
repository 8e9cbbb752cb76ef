using ActorTrainer.Core.Identity;

namespace ActorTrainer.Cli.Output;

/// <summary>Words about nodes.</summary>
internal static class NodeText
{
    /// <summary>The node's name where it says more than its address, of which it is made when nobody chose one.</summary>
    public static string Name(NodeAddress address, string name) =>
        name == FormattableString.Invariant($"{address.Host}-{address.Port}") ? "-" : name;
}
