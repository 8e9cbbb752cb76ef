using System.Runtime.InteropServices;
using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Training;

/// <content>Tensors of every kind.</content>
public sealed partial class CheckpointWriter
{
    /// <summary>
    /// Writes a tensor of any kind from its bytes: also those that C# has no type for, such as <see cref="TensorKind.BF16"/>.
    /// </summary>
    /// <param name="name">The entry's name.</param>
    /// <param name="kind">What it holds.</param>
    /// <param name="bytes">The values, row by row, each little endian; as many as the shape has places.</param>
    /// <param name="shape">Lengths of the dimensions, outermost first; empty: a scalar, of one value.</param>
    /// <exception cref="CheckpointEntryException">The name is bad or used already, or the shape does not fit the length.</exception>
    public void WriteTensor(string name, TensorKind kind, ReadOnlySpan<byte> bytes, ReadOnlySpan<long> shape) =>
        AddTensor(name, kind, bytes, shape.ToArray());

    /// <summary>Writes a tensor of 32-bit floats, row by row.</summary>
    /// <param name="name">The entry's name.</param>
    /// <param name="values">The values; as many as the shape has places.</param>
    /// <param name="shape">Lengths of the dimensions, outermost first; none given: one dimension with the values' length.</param>
    /// <exception cref="CheckpointEntryException">The name is bad or used already, or the shape does not fit the length.</exception>
    public void WriteTensor(string name, ReadOnlySpan<float> values, params ReadOnlySpan<long> shape) =>
        AddTensor(name, TensorKind.F32, MemoryMarshal.AsBytes(values), ShapeOf(shape, values.Length));

    /// <summary>Writes a tensor of 64-bit floats, row by row.</summary>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/exception"/>
    public void WriteTensor(string name, ReadOnlySpan<double> values, params ReadOnlySpan<long> shape) =>
        AddTensor(name, TensorKind.F64, MemoryMarshal.AsBytes(values), ShapeOf(shape, values.Length));

    /// <summary>Writes a tensor of 16-bit floats, row by row.</summary>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/exception"/>
    public void WriteTensor(string name, ReadOnlySpan<Half> values, params ReadOnlySpan<long> shape) =>
        AddTensor(name, TensorKind.F16, MemoryMarshal.AsBytes(values), ShapeOf(shape, values.Length));

    /// <summary>Writes a tensor of 64-bit integers, row by row.</summary>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/exception"/>
    public void WriteTensor(string name, ReadOnlySpan<long> values, params ReadOnlySpan<long> shape) =>
        AddTensor(name, TensorKind.I64, MemoryMarshal.AsBytes(values), ShapeOf(shape, values.Length));

    /// <summary>Writes a tensor of 32-bit integers, row by row.</summary>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/exception"/>
    public void WriteTensor(string name, ReadOnlySpan<int> values, params ReadOnlySpan<long> shape) =>
        AddTensor(name, TensorKind.I32, MemoryMarshal.AsBytes(values), ShapeOf(shape, values.Length));

    /// <summary>Writes a tensor of 16-bit integers, row by row.</summary>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/exception"/>
    public void WriteTensor(string name, ReadOnlySpan<short> values, params ReadOnlySpan<long> shape) =>
        AddTensor(name, TensorKind.I16, MemoryMarshal.AsBytes(values), ShapeOf(shape, values.Length));

    /// <summary>Writes a tensor of 8-bit integers, row by row.</summary>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/exception"/>
    public void WriteTensor(string name, ReadOnlySpan<sbyte> values, params ReadOnlySpan<long> shape) =>
        AddTensor(name, TensorKind.I8, MemoryMarshal.AsBytes(values), ShapeOf(shape, values.Length));

    /// <summary>Writes a tensor of 64-bit integers without a sign, row by row.</summary>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/exception"/>
    public void WriteTensor(string name, ReadOnlySpan<ulong> values, params ReadOnlySpan<long> shape) =>
        AddTensor(name, TensorKind.U64, MemoryMarshal.AsBytes(values), ShapeOf(shape, values.Length));

    /// <summary>Writes a tensor of 32-bit integers without a sign, row by row.</summary>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/exception"/>
    public void WriteTensor(string name, ReadOnlySpan<uint> values, params ReadOnlySpan<long> shape) =>
        AddTensor(name, TensorKind.U32, MemoryMarshal.AsBytes(values), ShapeOf(shape, values.Length));

    /// <summary>Writes a tensor of 16-bit integers without a sign, row by row.</summary>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/exception"/>
    public void WriteTensor(string name, ReadOnlySpan<ushort> values, params ReadOnlySpan<long> shape) =>
        AddTensor(name, TensorKind.U16, MemoryMarshal.AsBytes(values), ShapeOf(shape, values.Length));

    /// <summary>Writes a tensor of bytes, row by row.</summary>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/exception"/>
    public void WriteTensor(string name, ReadOnlySpan<byte> values, params ReadOnlySpan<long> shape) =>
        AddTensor(name, TensorKind.U8, MemoryMarshal.AsBytes(values), ShapeOf(shape, values.Length));

    /// <summary>Writes a tensor of truth values, row by row.</summary>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/exception"/>
    public void WriteTensor(string name, ReadOnlySpan<bool> values, params ReadOnlySpan<long> shape) =>
        AddTensor(name, TensorKind.BOOL, MemoryMarshal.AsBytes(values), ShapeOf(shape, values.Length));

    private static long[] ShapeOf(ReadOnlySpan<long> shape, int count) => shape.Length == 0 ? [count] : shape.ToArray();

    private void AddTensor(string name, TensorKind kind, ReadOnlySpan<byte> bytes, long[] shape)
    {
        Claim(name);
        _tensors ??= new SafetensorsWriter(_target.CreateTensors(CheckpointEntryNames.TensorFile));
        int size = TensorKinds.SizeOf(kind);
        long places = TensorEntry.CountOf(shape);
        if (bytes.Length % size != 0 || places != bytes.Length / size)
        {
            string values = bytes.Length % size == 0 ? $"{bytes.Length / size} values" : $"{bytes.Length} bytes of {kind} numbers";
            throw new CheckpointEntryException(
                name,
                $"has {values}, but the shape {TensorEntry.Format(shape)} has "
                    + (
                        shape.Any(length => length < 0) ? "a negative length."
                        : places < 0 ? "more places than can be counted."
                        : $"{places} places."
                    )
            );
        }

        _tensors.Add(name, kind, shape, bytes);
    }
}
