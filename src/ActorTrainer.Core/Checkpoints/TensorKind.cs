namespace ActorTrainer.Core.Checkpoints;

#pragma warning disable CA1707 // The names are those of the format.
/// <summary>Kinds of numbers that a tensor holds, named as the safetensors format names them; all little endian.</summary>
public enum TensorKind
{
    /// <summary>64-bit floats (IEEE 754).</summary>
    F64,

    /// <summary>32-bit floats (IEEE 754).</summary>
    F32,

    /// <summary>16-bit floats (IEEE 754).</summary>
    F16,

    /// <summary>16-bit floats with the exponent of a 32-bit one: its upper half.</summary>
    BF16,

    /// <summary>8-bit floats with 4 bits of exponent and 3 of mantissa (OCP FP8).</summary>
    F8_E4M3,

    /// <summary>8-bit floats with 5 bits of exponent and 2 of mantissa (OCP FP8).</summary>
    F8_E5M2,

    /// <summary>64-bit integers with a sign.</summary>
    I64,

    /// <summary>32-bit integers with a sign.</summary>
    I32,

    /// <summary>16-bit integers with a sign.</summary>
    I16,

    /// <summary>8-bit integers with a sign.</summary>
    I8,

    /// <summary>64-bit integers without a sign.</summary>
    U64,

    /// <summary>32-bit integers without a sign.</summary>
    U32,

    /// <summary>16-bit integers without a sign.</summary>
    U16,

    /// <summary>8-bit integers without a sign.</summary>
    U8,

    /// <summary>Truth values, a byte each: 0 or 1.</summary>
    BOOL,
}
#pragma warning restore CA1707

/// <summary>What is known of a kind of numbers.</summary>
public static class TensorKinds
{
    /// <summary>Bytes of one value: 8, 4, 2 or 1.</summary>
    public static int SizeOf(TensorKind kind) =>
        kind switch
        {
            TensorKind.F64 or TensorKind.I64 or TensorKind.U64 => 8,
            TensorKind.F32 or TensorKind.I32 or TensorKind.U32 => 4,
            TensorKind.F16 or TensorKind.BF16 or TensorKind.I16 or TensorKind.U16 => 2,
            _ => 1,
        };

    /// <summary>The kind of a name, exactly as it is written; false: there is none.</summary>
    public static bool TryParse(string? name, out TensorKind kind)
    {
        // A number would be parsed, too.
        kind = default;
        return name is { Length: > 0 }
            && char.IsAsciiLetter(name[0])
            && !name.Contains(',', StringComparison.Ordinal)
            && Enum.TryParse(name, ignoreCase: false, out kind);
    }
}

/// <summary>A tensor and where it stands.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Shape">Lengths of its dimensions, outermost first; empty: a scalar.</param>
/// <param name="Offset">Where its first byte stands, counted from the end of the header.</param>
/// <param name="Length">In bytes.</param>
public sealed record TensorEntry(string Name, TensorKind Kind, IReadOnlyList<long> Shape, long Offset, long Length)
{
    /// <summary>A shape as it is shown: <c>[2, 3]</c>.</summary>
    public static string Format(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";

    /// <summary>How many values a shape has; -1: a length is negative, or it has more than can be counted.</summary>
    public static long CountOf(IReadOnlyList<long> shape)
    {
        UInt128 count = 1;
        foreach (long length in shape)
        {
            if (length < 0)
            {
                return -1;
            }

            // Of two factors below 2^63 the product is below 2^126.
            count *= (UInt128)length;
            if (count > long.MaxValue)
            {
                return shape.All(l => l >= 0) && shape.Contains(0) ? 0 : -1;
            }
        }

        return (long)count;
    }
}
