using ActorTrainer.Core.Identity;

namespace ActorTrainer.Runtime.Transport;

/// <summary>A node could not listen on its address. The message says what to do.</summary>
public sealed class NodeAddressException(NodeAddress address, string problem, Exception? cause = null)
    : Exception($"{address}: {problem}", cause)
{
    /// <summary>The address.</summary>
    public NodeAddress Address { get; } = address;
}
