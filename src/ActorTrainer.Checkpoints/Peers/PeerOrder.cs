using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints.Peers;

/// <summary>
/// Which nodes keep the copies of a task or a bundle: rendezvous hashing (Thaler and Ravishankar, 1998), so that every node finds
/// the same ones without asking, and a node that comes or goes moves no other's copies.
/// </summary>
internal static class PeerOrder
{
    /// <summary>
    /// The nodes in the order in which they are asked to keep copies. One node of each machine comes first, and this node's machine last:
    /// a copy on the same machine is lost with it.
    /// </summary>
    /// <param name="key">The task's id, or a bundle's hash.</param>
    /// <param name="self">The node that the copies are of.</param>
    /// <param name="others">The others.</param>
    public static IReadOnlyList<NodeAddress> Of(string key, NodeAddress self, IEnumerable<NodeAddress> others)
    {
        NodeAddress[] ordered = [.. others.Distinct().OrderByDescending(node => Weight(key, node)).ThenBy(node => node)];
        HashSet<string> machines = [self.Host];
        NodeAddress[] first = [.. ordered.Where(node => machines.Add(node.Host))];
        return [.. first, .. ordered.Except(first).OrderBy(node => node.Host == self.Host)];
    }

    private static ulong Weight(string key, NodeAddress node)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{key}\n{node}"), hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }
}
